/** Loads a conversation's messages: the newest when none are loaded, other pages on request. One request at a time. */
import { untrack } from 'svelte';
import { asProblem, type Id, type Problem } from '../../client';
import type { Chat } from '../chat.svelte';

export class Loading {
  busy = $state(false);
  problem = $state.raw<Problem | null>(null);
  private last: () => Promise<void> = () => Promise.resolve();
  private running: Promise<void> = Promise.resolve();

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
    return this.load(() => this.chat.store.pages.open(this.id));
  }

  /** Load older messages. If more than `most` are loaded then, drop those at the other end. */
  older(most: number): Promise<void> {
    return this.load(() => this.chat.store.pages.older(this.id, most));
  }

  newer(most: number): Promise<void> {
    return this.load(() => this.chat.store.pages.newer(this.id, most));
  }

  /** Load the messages around one. This waits for a running request, whose page would otherwise land in the wrong place. */
  async around(seq: number): Promise<void> {
    await this.running;
    await this.load(() => this.chat.store.pages.around(this.id, seq));
  }

  /** Load the newest messages after reading older ones. */
  async back(): Promise<void> {
    await this.running;
    await this.load(() => this.chat.store.pages.newest(this.id));
  }

  /** Repeat the failed request. */
  again(): void {
    this.problem = null;
    void this.load(this.last);
  }

  private load(what: () => Promise<void>): Promise<void> {
    if (this.busy || this.problem) return Promise.resolve();
    [this.busy, this.last] = [true, what];
    this.running = this.run(what);
    return this.running;
  }

  private async run(what: () => Promise<void>): Promise<void> {
    try {
      await what();
    } catch (error) {
      this.problem = asProblem(error);
    } finally {
      this.busy = false;
    }
  }
}
