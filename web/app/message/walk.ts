/**
 * Messages by the keyboard: from the list the arrows go to its last message and from one to the next; there
 * a letter does something with it, Enter goes to its tools, Escape back to writing.
 */
import { findMessage, type Id } from '../../client';
import type { Chat } from '../chat.svelte';
import type { Writing } from '../composer/writing.svelte';
import type { Panels } from '../panels.svelte';
import { actsOf } from './acts';

interface Around {
  chat: Chat;
  panels: Panels;
  writing: Writing;
  conversation: Id;
}

export function walk(event: KeyboardEvent, log: HTMLElement, around: Around): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target as HTMLElement;
  if (target !== log && target.tagName !== 'ARTICLE') return leave(event, target);
  const done = step(event.key, log, target) || act(event.key, target, around);
  if (done) event.preventDefault();
}

/** Escape in a message's tools leads back to the message. */
function leave(event: KeyboardEvent, target: HTMLElement): void {
  const message = target.closest('article');
  if (event.key !== 'Escape' || !message) return;
  event.preventDefault();
  message.focus();
}

function step(key: string, log: HTMLElement, from: HTMLElement): boolean {
  if (key !== 'ArrowUp' && key !== 'ArrowDown') return false;
  const all = [...log.querySelectorAll<HTMLElement>('article[data-seq]')];
  const at = all.indexOf(from);
  const next = at < 0 ? all.at(-1) : all[at + (key === 'ArrowUp' ? -1 : 1)];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: 'nearest' });
  return next !== undefined;
}

function act(key: string, target: HTMLElement, around: Around): boolean {
  const seq = Number(target.dataset['seq']);
  const message = seq ? findMessage(around.chat.view, around.conversation, seq) : undefined;
  if (!message) return false;
  if (key === 'Enter') {
    target.querySelector<HTMLElement>('[role=toolbar] button')?.focus();
    return true;
  }
  const chosen = actsOf(message, around).find((one) => one.key === key);
  chosen?.run(target.getBoundingClientRect());
  return chosen !== undefined;
}
