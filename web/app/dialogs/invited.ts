/** What the app says when people were invited instead of added. */
import { toasts } from '../toasts.svelte';

export function sayInvited(names: string[]): void {
  const [first] = names;
  if (first === undefined) return;
  const who = names.length === 1 ? `${first} has` : `${names.length} people have`;
  toasts.say(`${who} to accept your invitation first.`);
}
