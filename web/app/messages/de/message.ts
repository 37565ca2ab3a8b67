import type { Messages } from '..';
import { list, plural } from './grammar';

export const message: Messages['message'] = {
  actions: 'Aktionen für die Nachricht',
  moreActions: 'Weitere Aktionen',
  reactWith: (emoji: string) => `Mit ${emoji} reagieren`,
  addReaction: 'Reaktion hinzufügen',
  reply: 'Antworten',
  replyInThread: 'Im Thread antworten',
  viewThread: 'Thread anzeigen',
  edit: 'Bearbeiten',
  pin: 'Anheften',
  unpin: 'Lösen',
  copyText: 'Text kopieren',
  textCopied: 'Text kopiert',
  copyCode: 'Code kopieren',
  codeCopied: 'Code kopiert',
  copyLink: 'Link kopieren',
  linkCopied: 'Link kopiert',
  markUnread: 'Als ungelesen markieren',
  markRead: 'Als gelesen markieren',
  saveForLater: 'Für später speichern',
  unsave: 'Aus „Später“ entfernen',
  remindMe: 'Erinnere mich',
  viewProfile: 'Profil anzeigen',
  editHistory: 'Bearbeitungsverlauf',
  deliveryDetails: 'Zustelldetails',
  report: 'Melden',
  delete: 'Löschen',

  reminderMessage: 'Nachricht anzeigen',
  reminderConversation: 'Unterhaltung anzeigen',

  saving: '(wird gespeichert…)',
  notSaved: (why: string) => `Nicht gespeichert. ${why}`,

  writing: 'Schreibt…',
  stop: 'Anhalten',
  stopping: 'Wird angehalten…',
  streamCancelled: 'Vor dem Ende angehalten.',
  streamFailed: 'Unterbrochen. Der Text ist vielleicht unvollständig.',

  inReplyTo: 'Antwort an',
  earlier: 'Eine frühere Nachricht',
  deleted: 'Gelöschte Nachricht',
  fromBlocked: 'Von jemandem, den du blockiert hast',

  reactions: 'Reaktionen',
  reaction: (emoji: string, count: number, names: string) => `${emoji} ${count}: ${names}`,
  you: 'Du',
  others: (count: number) => plural(count, { one: '# weitere Person', other: '# weitere' }),
  list: (names: string[]) => list(names),

  seen: 'Gesehen',
  seenByEveryone: 'Von allen gesehen',
  seenBy: (names: string) => `Gesehen von ${names}`,

  data: 'Daten',
  dataOf: (type: string) => `Daten von ${type}`,
  moreFields: (count: number) => plural(count, { one: '# weiteres Feld anzeigen', other: '# weitere Felder anzeigen' }),
  dataCut: 'Weitere Felder werden nicht angezeigt.',

  replies: (count: number) => plural(count, { one: '# Antwort', other: '# Antworten' }),
  newReplies: (count: number) => `${count} neu`,
  lastReply: (when: string) => `Letzte Antwort ${when}`,
};
