import type { Messages } from '..';

export const security: Messages['security'] = {
  code: 'Código de tu aplicación de autenticación',
  confirmTitle: 'Confirma que eres tú',
  confirmHint: 'Este cambio necesita tu confirmación. No se te volverá a pedir durante 10 minutos.',
  password: 'Contraseña',
  usePassword: 'Usar tu contraseña',
  useCode: 'Usar un código',
  usePasskey: 'Usar una llave de acceso',
  confirm: 'Confirmar',
  confirmWith: (name: string) => `Confirmar con ${name}`,
  stepRequired: 'Se necesita un segundo paso',
  stepRequiredHint: 'Tus derechos de administrador están suspendidos hasta que añadas un segundo paso.',
  setUp: 'Configurarlo',
  saveCodes: 'Guarda tus códigos de recuperación',
  saveCodesHint: 'Cada código te permite entrar una vez si pierdes tu dispositivo. No volverán a mostrarse.',
  recoveryCodes: 'Códigos de recuperación',
  codesFile: (host: string, codes: string[]) => `Códigos de recuperación de Tandem para ${host}\n\n${codes.join('\n')}\n`,
  copy: 'Copiar',
  codesCopied: 'Códigos de recuperación copiados',
  download: 'Descargar',
  codesSaved: 'Los he guardado',
};
