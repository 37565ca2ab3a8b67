/**
 * The keyboard in a list of messages. The arrows move between messages, Page Up and Page Down by a screen, Home and
 * End to the first and the newest message. On a message a letter runs an action, and Enter moves to its toolbar.
 * Escape moves from the toolbar to the message, and from there to the composer.
 */
import { findMessage, type Id } from '../../client';
import type { Chat } from '../chat.svelte';
import type { Writing } from '../composer/writing.svelte';
import type { Panels } from '../panels.svelte';
import { rowAt } from '../timeline/row-at';
import type { Scroller } from '../timeline/scroller.svelte';
import type { Window } from '../timeline/window.svelte';
import { actionsFor } from './actions';

interface Around {
  chat: Chat;
  panels: Panels;
  writing: Writing;
  conversation: Id;
  scroller: Scroller;
  /** The loaded part of the conversation; absent for a thread. */
  window?: Window;
}

/** Handle a key pressed in the list of messages. */
export function navigate(event: KeyboardEvent, log: HTMLElement, around: Around): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target as HTMLElement;
  if (target.matches('textarea, input')) return; // a message is edited in its place
  const message = target.closest<HTMLElement>('article[data-seq]');
  if (event.key === 'Escape' || target.closest('[role=toolbar]')) return leave(event, message);
  const done =
    step(event.key, log, message) || jump(event.key, log, around) || (target === message && runAction(event.key, message, around));
  if (done) event.preventDefault();
}

/** On Escape within a message, move the focus to the message. From the message itself the page handles the key. */
function leave(event: KeyboardEvent, message: HTMLElement | null): void {
  if (event.key !== 'Escape' || !message || message === document.activeElement) return;
  event.preventDefault();
  message.focus();
}

function step(key: string, log: HTMLElement, from: HTMLElement | null): boolean {
  if (key !== 'ArrowUp' && key !== 'ArrowDown') return false;
  const all = [...log.querySelectorAll<HTMLElement>('article[data-seq]')];
  const next = from ? all[all.indexOf(from) + (key === 'ArrowUp' ? -1 : 1)] : all.at(-1);
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: 'nearest' });
  return next !== undefined;
}

/** Scroll by a screen or to an end, and move the focus along. */
function jump(key: string, log: HTMLElement, { scroller, window }: Around): boolean {
  const focus = (row: Element | null | undefined) => (row as HTMLElement | null)?.focus({ preventScroll: true });
  const ends = () => [...log.querySelectorAll('article[data-seq]')];
  if (key === 'PageUp' || key === 'PageDown') {
    scroller.turn(key === 'PageUp' ? -1 : 1);
    focus(rowAt(log));
  } else if (key === 'Home' && window) void window.toFirst().then(() => focus(ends()[0]));
  else if (key === 'End' && window) void window.toNewest().then(() => focus(ends().at(-1)));
  else return false;
  return true;
}

function runAction(key: string, target: HTMLElement, around: Around): boolean {
  const fold = key === 'o' ? target.querySelector<HTMLElement>('[data-fold]') : null;
  fold?.click();
  if (fold) return true;
  const seq = Number(target.dataset['seq']);
  const message = seq ? findMessage(around.chat.view, around.conversation, seq) : undefined;
  if (!message) return false;
  if (key === 'Enter') {
    target.querySelector<HTMLElement>('[role=toolbar] button')?.focus();
    return true;
  }
  const chosen = actionsFor(message, around).find((one) => one.key === key);
  chosen?.run(target.getBoundingClientRect());
  return chosen !== undefined;
}
