/** Who of a conversation is online, as the server counts it. It is asked again while the user is looking. */
import type { Conversation } from '../../client';
import type { PresentMembers } from '../../client/schema';
import { attention } from '../attention.svelte';
import type { Chat } from '../chat.svelte';
import type { Here } from '../presence/here.svelte';
import { Counted } from './member-groups';

/** Milliseconds between two requests: with the list of members open, and for the count in the header alone. */
const OFTEN = 10_000;
const SELDOM = 60_000;

export class Present {
  found = $state.raw<PresentMembers | null>(null);
  readonly counted = $derived.by(() => new Counted(this.found));

  /** `listed` returns true while the list of members is open. */
  constructor(private readonly chat: Chat, here: Here, conversation: () => Conversation, listed: () => boolean) {
    const id = $derived(conversation().id);
    const asked = $derived(attention.here && here.view.socket.name === 'open' && conversation().kind !== 'direct');
    const period = $derived(listed() ? OFTEN : SELDOM);
    $effect(() => {
      if (!asked) return;
      const read = () => void this.read(id);
      read();
      const timer = setInterval(read, period);
      return () => clearInterval(timer);
    });
  }

  /** The last figures stay if the server cannot tell: the notice of stale presence says so. */
  private async read(id: number): Promise<void> {
    const found = await this.chat.api.call<PresentMembers>('GET', `/api/presence/conversations/${id}`).catch(() => null);
    if (!found) return;
    this.found = found;
    this.chat.sizes.set(id, found.members);
    this.chat.store.loadUsers(found.users.map((one) => one.id));
  }
}
