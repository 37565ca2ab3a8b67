import type { Messages } from '..';
import { list, plural } from './grammar';

export const triage: Messages['triage'] = {
  activity: 'Aktivität',
  filter: 'Anzeigen',
  kinds: { all: 'Alle', mentions: 'Erwähnungen', replies: 'Antworten', reactions: 'Reaktionen' },
  none: {
    all: 'Noch keine Aktivität',
    mentions: 'Noch keine Erwähnungen',
    replies: 'Noch keine Antworten',
    reactions: 'Noch keine Reaktionen',
  },
  noneText: {
    all: 'Erwähnungen, Antworten in Threads, denen du folgst, und Reaktionen auf deine Nachrichten erscheinen hier.',
    mentions: 'Nachrichten, die dich oder alle in einer Unterhaltung erwähnen, erscheinen hier.',
    replies: 'Antworten in Threads, denen du folgst, erscheinen hier.',
    reactions: 'Reaktionen auf deine Nachrichten erscheinen hier.',
  },
  unread: 'Ungelesen',
  mentioned: 'hat dich erwähnt',
  mentionedAll: (name: string) => `hat @${name} erwähnt`,
  replied: 'hat in einem Thread geantwortet',
  reacted: (emoji: string) => `– Reaktion mit ${emoji}`,
  names: (names: string[], others: number) =>
    list(others ? [...names, plural(others, { one: '# weitere Person', other: '# weitere' })] : names),

  threads: 'Threads',
  noThreads: 'Noch keine Threads',
  noThreadsText: 'Du folgst einem Thread, wenn du darin antwortest oder dir jemand antwortet.',
  chooseThread: 'Wähle einen Thread, um ihn hier zu lesen.',
  thread: 'Ein Thread',
  threadIn: (conversation: string) => `Thread in ${conversation}`,
  threadGone: 'Dieser Thread ist nicht verfügbar.',

  later: 'Später',
  states: { open: 'Offen', done: 'Erledigt' },
  noneSaved: { open: 'Nichts für später gespeichert', done: 'Noch nichts erledigt' },
  noneSavedText: {
    open: 'Speichere eine Nachricht über ihr Menü oder mit der Taste A. Nur du siehst, was du speicherst.',
    done: 'Gespeicherte Nachrichten, die du als erledigt markierst, erscheinen hier.',
  },
  markDone: 'Als erledigt markieren',
  reopen: 'Zu den offenen verschieben',
  remindTimes: {
    soon: 'In 20 Minuten',
    hour: 'In 1 Stunde',
    later: 'In 3 Stunden',
    tomorrow: 'Morgen',
    week: 'Nächste Woche',
  },
  remindAt: 'Andere Zeit',
  setReminder: 'Erinnerung setzen',
  willRemind: (when: string) => `Du wirst erinnert: ${when}.`,

  deleted: 'Gelöschte Nachricht',
  blocked: 'Von jemandem, den du blockiert hast',
  elsewhere: 'Eine andere Unterhaltung',
};
