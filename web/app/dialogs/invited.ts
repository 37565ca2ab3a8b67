/** The message for users who were invited instead of added. */
import { messages as m } from '../messages';
import { toasts } from '../toasts.svelte';

export function toastInvited(names: string[]): void {
  const [first] = names;
  if (first === undefined) return;
  toasts.say(names.length === 1 ? m.dialogs.mustAccept(first) : m.dialogs.severalMustAccept(names.length));
}
