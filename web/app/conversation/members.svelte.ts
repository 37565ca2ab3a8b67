/** The members of a conversation: loaded once, then kept up to date by the store. */
import { untrack } from 'svelte';
import { asProblem, type Conversation, type Id, type Member, type Problem, type Role } from '../../client';
import type { Chat } from '../chat.svelte';

/** Members that are loaded at most: as many as can be watched at once. */
const MOST = 500;

export class Members {
  problem = $state.raw<Problem | null>(null);
  more = $state(false);

  constructor(
    private readonly chat: Chat,
    private readonly conversation: () => Conversation,
  ) {
    const known = $derived(chat.view.roles.has(conversation().id));
    $effect(() => {
      if (!known) void untrack(() => this.load());
    });
  }

  get ids(): Id[] | null {
    return this.conversation().members ?? null;
  }

  get roles(): ReadonlyMap<Id, Role> | undefined {
    return this.chat.view.roles.get(this.conversation().id);
  }

  async load(): Promise<void> {
    this.problem = null;
    const { id } = this.conversation();
    try {
      const members: Member[] = [];
      let after: Id | null | undefined = 0;
      for (; typeof after === 'number' && members.length < MOST; ) {
        const page: Awaited<ReturnType<Chat['api']['members']>> = await this.chat.api.members(id, after);
        members.push(...page.members);
        after = page.next;
      }
      this.more = typeof after === 'number';
      this.chat.store.takeMembers(id, members);
    } catch (error) {
      this.problem = asProblem(error);
    }
  }
}
