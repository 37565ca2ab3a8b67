/** Loads a conversation's messages: the newest when there are none, older ones as they are asked for. */
import { untrack } from 'svelte';
import { asProblem, type Id, type Problem } from '../../client';
import type { Chat } from '../chat.svelte';

export class Loading {
  busy = $state(false);
  problem = $state.raw<Problem | null>(null);
  private last: () => Promise<void> = () => Promise.resolve();

  constructor(
    private readonly chat: Chat,
    private readonly id: Id,
  ) {
    const present = $derived(chat.view.timelines.has(id));
    const reachable = $derived(chat.view.connection.name === 'live' || chat.view.connection.name === 'polling');
    $effect(() => {
      if (!present) untrack(() => void this.newest());
    });
    $effect(() => {
      if (reachable) untrack(() => this.problem && this.again());
    });
  }

  newest(): Promise<void> {
    return this.load(() => this.chat.store.open(this.id));
  }

  older(): Promise<void> {
    return this.load(() => this.chat.store.older(this.id));
  }

  newer(): Promise<void> {
    return this.load(() => this.chat.store.newer(this.id));
  }

  around(seq: number): Promise<void> {
    return this.load(() => this.chat.store.around(this.id, seq));
  }

  /** From the past to the newest. */
  back(): Promise<void> {
    return this.load(() => this.chat.store.newest(this.id));
  }

  /** Repeats what failed. */
  again(): void {
    this.problem = null;
    void this.load(this.last);
  }

  private async load(what: () => Promise<void>): Promise<void> {
    if (this.busy || this.problem) return;
    [this.busy, this.last] = [true, what];
    try {
      await what();
    } catch (error) {
      this.problem = asProblem(error);
    } finally {
      this.busy = false;
    }
  }
}
