import type { Messages } from '..';
import { number } from './grammar';

export const search: Messages['search'] = {
  title: 'Suche',
  everywhere: 'Überall suchen',
  here: 'Hier suchen',
  in: (conversation: string) => `In ${conversation} suchen`,
  notOnlyIn: (conversation: string) => `Überall suchen, nicht nur in ${conversation}`,
  thisConversation: 'dieser Unterhaltung',
  clear: 'Leeren',

  searching: 'Suche läuft…',
  results: 'Ergebnisse',
  found: (count: number, more: boolean) => `${number(count)}${more ? '+' : ''} ${count === 1 && !more ? 'Nachricht' : 'Nachrichten'} gefunden`,
  nothing: 'Keine Nachrichten gefunden',
  nothingEverywhere: 'Versuch es mit weniger oder anderen Wörtern oder nur dem Anfang eines Wortes.',
  nothingIn: (conversation: string) => `Keine Nachrichten in ${conversation} passen zu deiner Suche.`,
  inThread: 'In einem Thread',
  elsewhere: 'archiviert oder ein Kanal, dem du nicht beigetreten bist',

  recentSearches: 'Letzte Suchen',
  recent: 'Zuletzt',
  howTo:
    'Suche nach Wörtern in beliebiger Reihenfolge. Auch längere Wörter, die mit deinen beginnen, werden gefunden. Für ganze Wörter und Wendungen nimm "Anführungszeichen".',
  examples: ['from:ana', 'in:general', 'before:2026-01-31', 'after:2026-01-01', 'on:2026-01-15', 'has:link'],
  daysIn: (zone: string) => `Tage beginnen um Mitternacht in deiner Zeitzone (${zone}).`,
  addFilter: 'Filter hinzufügen',

  filters: 'Filter',
  from: 'Nachrichten von jemandem',
  inFilter: 'in einer Unterhaltung',
  before: 'vor einem Tag',
  after: 'ab einem Tag',
  on: 'an einem Tag',
  hasLink: 'mit einem Link',
  hasFile: 'mit einer Datei oder einem Bild',
  kinds: { channel: 'Kanal', group: 'Gruppe', direct: 'Direktnachricht' },
  days: {
    today: 'Heute',
    yesterday: 'Gestern',
    weekAgo: 'Vor einer Woche',
    monthAgo: 'Vor einem Monat',
    yearAgo: 'Vor einem Jahr',
  },
};
