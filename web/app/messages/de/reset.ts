import type { Messages } from '..';

export const reset: Messages['reset'] = {
  documentTitle: 'Neues Passwort festlegen · Tandem',
  title: 'Neues Passwort festlegen',
  newPassword: 'Neues Passwort',
  newPasswordHint: 'Verwende mindestens 10 Zeichen. Du wirst auf allen Geräten abgemeldet.',
  showPassword: 'Passwort anzeigen',
  changePassword: 'Passwort ändern',
  changed: 'Passwort geändert',
  changedHint: 'Du wurdest auf allen Geräten abgemeldet. Melde dich mit dem neuen Passwort an.',
  logIn: 'Anmelden',
  goToLogIn: 'Zur Anmeldung',
  linkIncomplete: 'Dieser Link ist unvollständig',
  linkIncompleteHint: 'Kopiere den ganzen Link oder bitte einen Admin um einen neuen.',
  linkInvalid: 'Dieser Link funktioniert nicht mehr',
  linkInvalidHint: 'Ein solcher Link funktioniert einmal, 24 Stunden lang. Bitte einen Admin um einen neuen.',
};
