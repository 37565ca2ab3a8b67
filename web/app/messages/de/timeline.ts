import type { Messages } from '..';
import { list, plural } from './grammar';

const listed = (names: string[], more: number) => list(more ? [...names, plural(more, { one: '# weitere Person', other: '# weitere' })] : names);
const have = (names: string[], more: number) => (names.length + more === 1 ? 'ist' : 'sind');

export const timeline: Messages['timeline'] = {
  messagesIn: (conversation: string) => `Nachrichten in ${conversation}`,
  beginningOf: (channel: string) => `Hier beginnt ${channel}.`,
  onlyYouAnd: (names: string) => `Nur du und ${names} können diese Nachrichten lesen.`,
  notesToYourself: 'Notizen an dich selbst. Nur du kannst sie lesen.',

  addPeople: 'Personen hinzufügen',
  describe: 'Beschreiben',
  invite: 'Mit einem Link einladen',

  joined: (names: string[], more: number) => `${listed(names, more)} ${have(names, more)} beigetreten`,
  left: (names: string[], more: number) => `${listed(names, more)} ${have(names, more)} gegangen`,
  renamed: (name: string) => `Der Name ist jetzt ${name}`,

  new: 'Neu',
  newMessages: (count: number) => plural(count, { one: '# neue Nachricht', other: '# neue Nachrichten' }),
  markedUnread: 'Als ungelesen markiert',
  newMessagesBelow: 'Neue Nachrichten',
  jumpToNewest: 'Zur neuesten springen',
  jumpToUnread: 'Zur ersten ungelesenen springen',
  clearUnread: 'Ungelesen-Markierung entfernen',

  notLoaded: (why: string) => `Nachrichten konnten nicht geladen werden. ${why}`,
  unavailable: 'Diese Nachricht ist nicht verfügbar.',

  deleted: 'Diese Nachricht wurde gelöscht.',
  fromBlocked: 'Von jemandem, den du blockiert hast.',
  edited: '(bearbeitet)',
  editedAt: (when: string) => `Bearbeitet ${when}`,
  pinned: 'Angeheftet',
  saved: 'Gespeichert',
  messageBy: (author: string, time: string) => `${author}, ${time}`,
  announced: (author: string, text: string) => `${author}: ${text}`,

  showMore: 'Mehr anzeigen',
  showLess: 'Weniger anzeigen',

  waiting: 'Wartet auf den Versand',
  sending: 'Wird gesendet…',
  notSent: (why: string) => `Nicht gesendet. ${why}`,

  authors: (names: string[]) => (names.length > 2 ? `${names.slice(0, 2).join(', ')} und andere` : names.join(' und ')),
  repliedInThread: (authors: number, replies: number) => {
    const verb = authors === 1 ? 'hat' : 'haben';
    if (replies === 1) return `${verb} in einem Thread geantwortet:`;
    return `${verb} ${plural(replies, { other: '#-mal' })} in einem Thread geantwortet:`;
  },
};
