/** The texts of `<tandem-chat>`, by language. Pages replace them with its `words` property. */

const en = {
  conversation: 'Conversation',
  message: 'Message',
  placeholder: 'Write a message',
  send: 'Send',
  attach: 'Attach files',
  remove: 'Remove',
  retry: 'Try again',
  discard: 'Discard',
  download: 'Download',
  earlier: 'Load earlier messages',
  empty: 'No messages yet.',
  deleted: 'Message deleted',
  edited: 'edited',
  sending: 'Sending…',
  notSent: 'Not sent.',
  connecting: 'Connecting…',
  offline: "Can't reach the server. Trying again…",
  loggedOut: "You're not logged in.",
  notFound: "You can't see this conversation.",
  notJoined: "You haven't joined this channel.",
  join: 'Join channel',
  readOnly: "You can't write here.",
  deletedUser: 'Unknown user',
  typing: (names: string[]) => `${names.join(', ')} typing…`,
  online: 'Online',
  away: 'Away',
  dnd: 'Do not disturb',
  offlineStatus: 'Offline',
  onlineCount: (count: number) => `${count} online`,
};

export type Words = typeof en;

const de: Words = {
  conversation: 'Unterhaltung',
  message: 'Nachricht',
  placeholder: 'Nachricht schreiben',
  send: 'Senden',
  attach: 'Dateien anhängen',
  remove: 'Entfernen',
  retry: 'Erneut versuchen',
  discard: 'Verwerfen',
  download: 'Herunterladen',
  earlier: 'Frühere Nachrichten laden',
  empty: 'Noch keine Nachrichten.',
  deleted: 'Nachricht gelöscht',
  edited: 'bearbeitet',
  sending: 'Wird gesendet…',
  notSent: 'Nicht gesendet.',
  connecting: 'Verbindung wird hergestellt…',
  offline: 'Server nicht erreichbar. Neuer Versuch…',
  loggedOut: 'Sie sind nicht angemeldet.',
  notFound: 'Sie können diese Unterhaltung nicht sehen.',
  notJoined: 'Sie sind diesem Kanal nicht beigetreten.',
  join: 'Kanal beitreten',
  readOnly: 'Sie können hier nicht schreiben.',
  deletedUser: 'Unbekannt',
  typing: (names) => `${names.join(', ')} schreibt…`,
  online: 'Online',
  away: 'Abwesend',
  dnd: 'Nicht stören',
  offlineStatus: 'Offline',
  onlineCount: (count) => `${count} online`,
};

const languages: Record<string, Words> = { en, de };

/** Return the texts in a language such as `de-AT`, or in English. */
export function wordsIn(language: string): Words {
  const name = language.split('-', 1)[0]?.toLowerCase() ?? '';
  return (Object.hasOwn(languages, name) && languages[name]) || en;
}
