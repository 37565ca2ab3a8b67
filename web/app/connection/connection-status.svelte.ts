/** The state of the connection as shown. A state that lasts less than half a second is skipped, so that nothing flickers. */
import type { StreamState } from '../../client';
import type { Chat } from '../chat.svelte';
import { type Words, wordsFor } from './labels';

/** Milliseconds for which a new state is held back. */
const DELAY = 500;
/** States that are shown at once. */
const IMMEDIATE = ['live', 'polling', 'refused'];

export class ConnectionStatus {
  shown = $state.raw<StreamState>({ name: 'connecting' });
  readonly words: Words = $derived.by(() => this.describe());
  private now = $state(Date.now());
  private network = $state(true);
  private early = $state(true);

  constructor(private readonly chat: Chat) {
    $effect(() => {
      const state = chat.view.connection;
      const immediate = IMMEDIATE.includes(state.name) || state.name === this.shown.name;
      if (immediate) return void (this.shown = state);
      const timer = setTimeout(() => (this.shown = chat.view.connection), DELAY);
      return () => clearTimeout(timer);
    });
    $effect(() => {
      const timer = setTimeout(() => (this.early = false), DELAY);
      return () => clearTimeout(timer);
    });
    $effect(() => {
      if (this.shown.name !== 'offline') return;
      const update = () => ([this.now, this.network] = [Date.now(), navigator.onLine]);
      const timer = setInterval(update, 1000);
      update();
      return () => clearInterval(timer);
    });
  }

  private describe(): Words {
    const { shown, network } = this;
    const seconds = shown.name === 'offline' ? Math.ceil((shown.retryAt - this.now) / 1000) : 0;
    const words = wordsFor(shown, { unsent: this.chat.unsent, seconds, network });
    return this.early && shown.name === 'connecting' ? { ...words, sentence: null } : words;
  }
}
