import type { Messages } from '..';

export const security: Messages['security'] = {
  code: 'Code aus deiner Authenticator-App',
  confirmTitle: 'Bestätige, dass du es bist',
  confirmHint: 'Diese Änderung braucht deine Bestätigung. Danach wirst du 10 Minuten lang nicht mehr gefragt.',
  password: 'Passwort',
  usePassword: 'Passwort verwenden',
  useCode: 'Code verwenden',
  usePasskey: 'Passkey verwenden',
  confirm: 'Bestätigen',
  confirmWith: (name: string) => `Mit ${name} bestätigen`,
  stepRequired: 'Zweiter Schritt nötig',
  stepRequiredHint: 'Deine Admin-Rechte ruhen, bis du einen zweiten Schritt einrichtest.',
  setUp: 'Einrichten',
  saveCodes: 'Speichere deine Wiederherstellungscodes',
  saveCodesHint: 'Mit jedem Code kannst du dich einmal anmelden, wenn du dein Gerät verlierst. Sie werden nicht noch einmal angezeigt.',
  recoveryCodes: 'Wiederherstellungscodes',
  codesFile: (host: string, codes: string[]) => `Tandem-Wiederherstellungscodes für ${host}\n\n${codes.join('\n')}\n`,
  copy: 'Kopieren',
  codesCopied: 'Wiederherstellungscodes kopiert',
  download: 'Herunterladen',
  codesSaved: 'Ich habe sie gespeichert',
};
