/** Puts a text where it can be pasted from. */
import { toasts } from './toasts.svelte';

/** Plain HTTP pages have no clipboard of the new kind. */
export function copy(text: string, done: string): void {
  const copied = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
  copied.then(
    () => toasts.say(done),
    () => toasts.say('This browser does not let pages copy.', true),
  );
}
