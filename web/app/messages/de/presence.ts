import type { Messages } from '..';
import { plural } from './grammar';

export const presence: Messages['presence'] = {
  statuses: {
    online: 'Online',
    away: 'Abwesend',
    dnd: 'Nicht stören',
    offline: 'Offline',
    invisible: 'Unsichtbar',
    unknown: 'Unbekannt',
  },
  justNow: 'gerade eben',
  minutesAgo: (count: number) => `vor ${count} min`,
  hoursAgo: (count: number) => `vor ${count} h`,
  yesterday: 'gestern',
  daysAgo: (count: number) => plural(count, { one: 'vor # Tag', other: 'vor # Tagen' }),
  onDay: (day: string) => `am ${day}`,
  lastActive: (status: string, ago: string) => `${status}, aktiv ${ago}`,
  typing: {
    one: (name: string) => `${name} schreibt…`,
    two: (first: string, second: string) => `${first} und ${second} schreiben…`,
    more: (first: string, second: string, others: number) =>
      `${first}, ${second} und ${plural(others, { one: '# weitere Person', other: '# weitere' })} schreiben…`,
  },
  degraded: 'Der Online-Status ist gerade vielleicht veraltet.',
  unavailable: 'Der Online-Status ist gerade nicht verfügbar.',
  form: {
    title: 'Dein Status',
    emoji: 'Emoji',
    message: 'Statusnachricht',
    messageHint: 'Was machst du gerade?',
    suggestions: 'Vorschläge',
    focusing: 'Konzentriert',
    meeting: 'In einer Besprechung',
    lunch: 'Beim Mittagessen',
    commuting: 'Unterwegs',
    sick: 'Krank',
    vacation: 'Im Urlaub',
    appearAs: 'Anzeigen als',
    clearAfter: 'Löschen nach',
    othersSee: 'Andere sehen:',
    clear: 'Status löschen',
    saved: 'Status gespeichert',
  },
  clearAfter: {
    open: 'Nicht löschen',
    half: '30 Minuten',
    hour: '1 Stunde',
    four: '4 Stunden',
    today: 'Heute',
    week: 'Diese Woche',
  },
};
