import type { Messages } from '..';

export const embed: Messages['embed'] = {
  loggedOut: 'Du bist nicht angemeldet',
  loggedOutHint: 'Lade die Seite neu oder öffne diese Unterhaltung in einem neuen Tab.',
  refused: 'Diese Seite konnte dich nicht anmelden',
  refusedHint: 'Ihr Zugang ist abgelaufen oder wurde entzogen. Lade die Seite neu.',
  cookieBlocked: 'Dein Browser blockiert hier Cookies',
  cookieBlockedHint: 'Öffne diese Unterhaltung stattdessen in einem neuen Tab.',
  openInTab: 'In neuem Tab öffnen',
  openConversation: 'Diese Unterhaltung in einem neuen Tab öffnen',
  notFound: 'Du kannst diese Unterhaltung nicht sehen',
  notFoundHint: 'Sie existiert nicht, oder du bist kein Mitglied.',
  archived: 'Diese Unterhaltung ist archiviert',
  archivedHint: 'Sie kann hier nicht mehr gelesen werden.',
  notJoined: 'Du bist diesem Kanal nicht beigetreten',
  notJoinedHint: 'Tritt bei, um Nachrichten zu lesen und zu schreiben.',
  join: 'Kanal beitreten',
};
