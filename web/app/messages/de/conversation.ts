import type { Messages } from '..';
import { number, plural } from './grammar';

/** The server counts so many members at most. */
const COUNTED_MOST = 50_000;
const members = (count: number) =>
  count > COUNTED_MOST ? `${number(COUNTED_MOST)}+ Mitglieder` : plural(count, { one: '# Mitglied', other: '# Mitglieder' });

export const conversation: Messages['conversation'] = {
  none: 'Noch keine Unterhaltungen',
  noneHint: 'Tritt einem Kanal bei oder sende eine Direktnachricht.',
  browseChannels: 'Kanäle durchsuchen',
  newMessage: 'Neue Nachricht',
  invitePeople: 'Personen einladen',
  all: 'Alle Unterhaltungen',
  allUnread: (count: number) => `Alle Unterhaltungen, ${count} ungelesen`,
  details: 'Details',
  search: 'Suchen',
  members: 'Mitglieder',
  counts: (all: number, online: number) => `${members(all)} · ${number(online)} online`,
  pinned: 'Angeheftete Nachrichten',
  menu: 'Menü der Unterhaltung',
  notifications: 'Benachrichtigungen',
  addPeople: 'Personen hinzufügen',
  leaveChannel: 'Kanal verlassen',
  leaveGroup: 'Gruppe verlassen',
  membersIn: (group: string, count: number) => `${group}, ${count}`,
  activeAgo: (ago: string) => `Aktiv ${ago}`,
  onDevices: (count: number) => `Auf ${count} Geräten`,
  you: 'du',
  moreMembers: 'Nicht alle Mitglieder werden angezeigt.',
};
