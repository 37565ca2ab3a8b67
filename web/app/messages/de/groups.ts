import type { Messages } from '..';
import { plural } from './grammar';

const members = (count: number) => plural(count, { one: '# Mitglied', other: '# Mitglieder' });

export const groups: Messages['groups'] = {
  about: 'Eine Nachricht, die eine Gruppe erwähnt, benachrichtigt deren Mitglieder in dieser Unterhaltung.',
  list: 'Gruppen',
  none: 'Noch keine Gruppen',
  noneHint: 'Erstelle eine, um mehrere Personen auf einmal zu erwähnen, etwa @design.',
  create: 'Neue Gruppe',
  make: 'Gruppe erstellen',
  rename: 'Gruppe umbenennen',
  name: 'Name der Gruppe',
  nameHint: 'Kleinbuchstaben, Ziffern, . _ -. Damit wird die Gruppe erwähnt.',
  members,
  noMembers: 'Diese Gruppe hat noch keine Mitglieder.',
  addMembers: 'Mitglieder hinzufügen',
  addTo: (group: string) => `Mitglieder zu ${group} hinzufügen`,
  remove: (name: string) => `${name} aus der Gruppe entfernen`,
  delete: 'Gruppe löschen',
  deleteQuestion: (group: string) => `${group} löschen?`,
  deleteText: 'Nachrichten bleiben, aber der Name benachrichtigt niemanden mehr.',
  deleted: 'Diese Gruppe wurde gelöscht.',
  more: (count: number) => plural(count, { other: 'und # weitere' }),
  notify: (group: string) => `${group} benachrichtigen?`,
  notifyText: (count: number) => plural(count, { one: 'Bis zu # Mitglied bekommt eine Benachrichtigung.', other: 'Bis zu # Mitglieder bekommen eine Benachrichtigung.' }),
};
