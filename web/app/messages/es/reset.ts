import type { Messages } from '..';

export const reset: Messages['reset'] = {
  documentTitle: 'Nueva contraseña · Tandem',
  title: 'Elige una contraseña nueva',
  newPassword: 'Contraseña nueva',
  newPasswordHint: 'Usa al menos 10 caracteres. Se cerrará tu sesión en todos los dispositivos.',
  showPassword: 'Mostrar contraseña',
  changePassword: 'Cambiar contraseña',
  changed: 'Contraseña cambiada',
  changedHint: 'Se cerró tu sesión en todos los dispositivos. Entra con tu contraseña nueva.',
  logIn: 'Iniciar sesión',
  goToLogIn: 'Ir al inicio de sesión',
  linkIncomplete: 'Este enlace está incompleto',
  linkIncompleteHint: 'Copia el enlace completo o pide uno nuevo a un administrador.',
  linkInvalid: 'Este enlace ya no funciona',
  linkInvalidHint: 'El enlace funciona una vez, durante 24 horas. Pide uno nuevo a un administrador.',
};
