/** The emoji picker. */
export const emoji = {
  title: 'Emoji',
  find: 'Find emoji',
  skinTone: 'Skin tone',
  recent: 'Recent',
  found: 'Found',
  nothing: 'No emoji found.',
  searching: 'Searching…',
  notLoaded: "Couldn't load emoji.",
  groups: [
    'Smileys and emotion',
    'People',
    '',
    'Animals and nature',
    'Food and drink',
    'Travel and places',
    'Activities',
    'Objects',
    'Symbols',
    'Flags',
  ],
};
