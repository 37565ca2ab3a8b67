/** A list that is loaded when it is shown, after an entry of the log that may change it, and after a reconnect. */
import { untrack } from 'svelte';
import { asProblem, type Entry, type Problem } from '../../client';
import type { Chat } from '../chat.svelte';

export class LiveList<T> {
  all = $state.raw<T[] | null>(null);
  problem = $state.raw<Problem | null>(null);

  constructor(
    chat: Chat,
    private readonly ask: () => Promise<T[]>,
    touches: (entry: Entry) => boolean,
  ) {
    const live = $derived(chat.view.connection.name === 'live' || chat.view.connection.name === 'polling');
    $effect(() => {
      if (live || untrack(() => this.all === null)) untrack(() => void this.read());
    });
    $effect(() => chat.listen((entry) => touches(entry) && void this.read()));
  }

  async read(): Promise<void> {
    try {
      [this.all, this.problem] = [await this.ask(), null];
    } catch (error) {
      this.problem = asProblem(error);
    }
  }
}
