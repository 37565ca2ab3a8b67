/** Keyboard shortcuts that work everywhere in the workspace. `switcher/keys.ts` lists them for the user. */
import type { Chat } from './chat.svelte';
import type { Panels } from './panels.svelte';
import { pathOf, route } from './route.svelte';
import type { Arrangement } from './sidebar/arrangement.svelte';
import { neighbor } from './sidebar/sections';

export function shortcut(event: KeyboardEvent, chat: Chat, panels: Panels, arrangement: Arrangement): void {
  if (event.defaultPrevented || event.isComposing) return;
  const key = event.key.toLowerCase();
  const meta = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  if (meta && key === 'k') {
    event.preventDefault();
    panels.show({ name: 'switcher' });
  } else if (panels.open) return;
  else if ((meta && key === 'f') || (key === '/' && isIdle(event))) {
    if (find()) event.preventDefault();
  } else if (key === '?' && isIdle(event)) panels.show({ name: 'keys' });
  else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
    event.preventDefault();
    step(arrangement, event.key === 'ArrowUp' ? -1 : 1, event.shiftKey);
  } else if (event.shiftKey && event.key === 'Escape') {
    event.preventDefault();
    if (chat.unreadConversations) panels.show({ name: 'markAllRead' });
  } else if (event.key === 'Escape' || isWriting(event)) {
    document.querySelector<HTMLTextAreaElement>('textarea[name=message]')?.focus();
  }
}

/** Search this conversation first, then all of them. Return false if the browser's own search should open. */
export function find(): boolean {
  if (route.page === 'search') return false;
  if (route.find !== null && route.query.get('where') === 'all') return false;
  if (route.find !== null) route.ask({ where: 'all' }, true);
  else if (route.conversation !== null) route.go(`${pathOf(route.conversation)}?find=`);
  else route.go('/search?find=');
  return true;
}

/** Go to the conversation above or below in the list, or to the next unread one. */
function step(arrangement: Arrangement, by: 1 | -1, unread: boolean): void {
  const next = neighbor(arrangement.parts, route.conversation, by, unread ? arrangement.isUnread : () => true);
  if (next) route.go(pathOf(next.id));
}

/** Return true if the focused element does not take letters itself. */
function isIdle(event: KeyboardEvent): boolean {
  const active = document.activeElement;
  const free = active === document.body || active?.matches('[role=log], h1, article');
  return Boolean(free) && !event.ctrlKey && !event.metaKey && !event.altKey;
}

/** Return true if a letter was typed while nothing takes it, so it is meant for the message field. */
function isWriting(event: KeyboardEvent): boolean {
  return isIdle(event) && !document.activeElement?.matches('article') && event.key.length === 1 && event.key !== ' ';
}
