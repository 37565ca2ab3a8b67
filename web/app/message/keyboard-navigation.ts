/**
 * Messages by the keyboard: from the list the arrows go to its last message and from one to the next, Page Up
 * and Page Down by a screen, Home and End to the first and the newest of all; there a letter does something
 * with it, Enter goes to its tools, Escape back to writing.
 */
import { findMessage, type Id } from '../../client';
import type { Chat } from '../chat.svelte';
import type { Writing } from '../composer/writing.svelte';
import type { Panels } from '../panels.svelte';
import { rowAt } from '../timeline/row-at';
import type { Scroller } from '../timeline/scroller.svelte';
import type { Window } from '../timeline/window.svelte';
import { actsOf } from './actions';

interface Around {
  chat: Chat;
  panels: Panels;
  writing: Writing;
  conversation: Id;
  scroller: Scroller;
  /** Where not all of it is loaded. */
  window?: Window;
}

export function walk(event: KeyboardEvent, log: HTMLElement, around: Around): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target as HTMLElement;
  const message = target.closest<HTMLElement>('article[data-seq]');
  if (event.key === 'Escape' || target.closest('[role=toolbar]')) return leave(event, message);
  const done = step(event.key, log, message) || leap(event.key, log, around) || (target === message && act(event.key, message, around));
  if (done) event.preventDefault();
}

/** Escape within a message leads back to it, and from there to writing. */
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

/** By a screen, or to an end; the focus goes along. */
function leap(key: string, log: HTMLElement, { scroller, window }: Around): boolean {
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
