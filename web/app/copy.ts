/** Copying to the clipboard. */
import { messages as m } from './messages';
import { toasts } from './toasts.svelte';

/** Copy a text and show `done` as a toast. Pages without HTTPS have no clipboard API, so copying fails there. */
export function copy(text: string, done: string): void {
  const copied = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
  copied.then(
    () => toasts.say(done),
    () => toasts.say(m.app.copyFailed, true),
  );
}
