/** The keyboard shortcuts, as the list of them shows them. Pure. */
import { messages } from '../messages';

export interface Shortcut {
  keys: string[];
  action: string;
}

const apple = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent);
export const META = apple ? '⌘' : 'Ctrl';

export function shortcutGroups(m = messages.switcher.shortcuts): { title: string; keys: Shortcut[] }[] {
  return [
    {
      title: m.everywhere,
      keys: [
        { keys: [META, 'K'], action: m.jump },
        { keys: [META, 'F'], action: m.find },
        { keys: ['/'], action: m.search },
        { keys: ['Alt', '↑'], action: m.previous },
        { keys: ['Alt', '↓'], action: m.next },
        { keys: ['Alt', 'Shift', '↑'], action: m.previousUnread },
        { keys: ['Alt', 'Shift', '↓'], action: m.nextUnread },
        { keys: ['Shift', 'Esc'], action: m.markAllRead },
        { keys: ['?'], action: m.show },
        { keys: ['Esc'], action: m.close },
      ],
    },
    {
      title: m.writing,
      keys: [
        { keys: ['Enter'], action: m.send },
        { keys: ['Shift', 'Enter'], action: m.newLine },
        { keys: ['↑'], action: m.editLast },
        { keys: [META, 'B'], action: m.bold },
        { keys: [META, 'I'], action: m.italic },
        { keys: [META, 'Shift', 'X'], action: m.strike },
        { keys: [META, 'V'], action: m.pasteLink },
        { keys: ['@'], action: m.mention },
        { keys: ['#'], action: m.channel },
        { keys: [':'], action: m.emoji },
        { keys: ['Shift', 'Tab'], action: m.toMessages },
      ],
    },
    {
      title: m.onMessage,
      keys: [
        { keys: ['↑', '↓'], action: m.move },
        { keys: ['+'], action: m.react },
        { keys: ['R'], action: m.reply },
        { keys: ['T'], action: m.thread },
        { keys: ['S'], action: m.stop },
        { keys: ['E'], action: m.edit },
        { keys: ['P'], action: m.pin },
        { keys: ['C'], action: m.copyText },
        { keys: ['L'], action: m.copyLink },
        { keys: ['A'], action: m.save },
        { keys: ['M'], action: m.remind },
        { keys: ['F'], action: m.forward },
        { keys: ['Z'], action: m.undo },
        { keys: ['U'], action: m.unread },
        { keys: ['V'], action: m.profile },
        { keys: ['!'], action: m.report },
        { keys: ['H'], action: m.history },
        { keys: ['W'], action: m.delivery },
        { keys: ['Del'], action: m.delete },
        { keys: ['O'], action: m.fold },
        { keys: ['Enter'], action: m.more },
      ],
    },
  ];
}
