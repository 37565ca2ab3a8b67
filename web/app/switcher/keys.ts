/** What the keyboard does, for the sheet that tells of it. Pure. */

export interface Key {
  keys: string[];
  does: string;
}

const apple = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent);
export const META = apple ? '⌘' : 'Ctrl';

export const sheets: { title: string; keys: Key[] }[] = [
  {
    title: 'Everywhere',
    keys: [
      { keys: [META, 'K'], does: 'Jump to a conversation or a person' },
      { keys: [META, 'F'], does: 'Search this conversation; again: everywhere' },
      { keys: ['/'], does: 'Search' },
      { keys: ['Alt', '↑'], does: 'Conversation above' },
      { keys: ['Alt', '↓'], does: 'Conversation below' },
      { keys: ['?'], does: 'This sheet' },
      { keys: ['Esc'], does: 'Close, or back to writing' },
    ],
  },
  {
    title: 'While writing',
    keys: [
      { keys: ['Enter'], does: 'Send' },
      { keys: ['Shift', 'Enter'], does: 'New line' },
      { keys: ['↑'], does: 'Edit my last message' },
      { keys: ['@'], does: 'Complete a person' },
      { keys: ['#'], does: 'Complete a channel' },
      { keys: [':'], does: 'Complete an emoji' },
      { keys: ['Shift', 'Tab'], does: 'Go to the messages' },
    ],
  },
  {
    title: 'On a message',
    keys: [
      { keys: ['↑', '↓'], does: 'From one to the next' },
      { keys: ['+'], does: 'React' },
      { keys: ['R'], does: 'Reply' },
      { keys: ['T'], does: 'Reply in its thread' },
      { keys: ['E'], does: 'Edit' },
      { keys: ['P'], does: 'Pin' },
      { keys: ['C'], does: 'Copy its text' },
      { keys: ['L'], does: 'Copy its link' },
      { keys: ['U'], does: 'Who wrote it' },
      { keys: ['!'], does: 'Report it' },
      { keys: ['H'], does: 'What stood there before (admins)' },
      { keys: ['W'], does: 'Who got it (server admins)' },
      { keys: ['Del'], does: 'Delete' },
      { keys: ['Enter'], does: 'All its tools' },
    ],
  },
];
