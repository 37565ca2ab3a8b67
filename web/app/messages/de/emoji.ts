import type { Messages } from '..';

export const emoji: Messages['emoji'] = {
  title: 'Emoji',
  find: 'Emoji finden',
  skinTone: 'Hautton',
  recent: 'Zuletzt verwendet',
  found: 'Gefunden',
  nothing: 'Kein Emoji gefunden.',
  searching: 'Suche läuft…',
  notLoaded: 'Emoji konnten nicht geladen werden.',
  groups: [
    'Smileys und Gefühle',
    'Personen',
    '',
    'Tiere und Natur',
    'Essen und Trinken',
    'Reisen und Orte',
    'Aktivitäten',
    'Gegenstände',
    'Symbole',
    'Flaggen',
  ],
};
