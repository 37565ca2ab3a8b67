/** What the keyboard does everywhere in the workspace. */
import type { Chat } from './chat.svelte';
import type { Panels } from './panels.svelte';
import { pathOf, route } from './route.svelte';
import { sections } from './sidebar/sections';

export function shortcut(event: KeyboardEvent, chat: Chat, panels: Panels): void {
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    panels.show({ name: 'switcher' });
  } else if (panels.open) return;
  else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
    event.preventDefault();
    step(chat, event.key === 'ArrowUp' ? -1 : 1);
  } else if (event.key === 'Escape' || isWriting(event)) {
    document.querySelector<HTMLTextAreaElement>('textarea[name=message]')?.focus();
  }
}

/** Goes to the conversation above or below, in the order of the list. */
function step(chat: Chat, by: number): void {
  const { channels, direct } = sections(chat.sorted);
  const all = [...channels, ...direct];
  const at = all.findIndex((one) => one.id === route.conversation);
  const next = all[(at + by + all.length) % all.length];
  if (next) route.go(pathOf(next.id));
}

/** A letter typed while no control has the focus is meant for the message. */
function isWriting(event: KeyboardEvent): boolean {
  const idle =
    document.activeElement === document.body || document.activeElement?.getAttribute('role') === 'log';
  return (
    idle && event.key.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey && !event.altKey
  );
}
