/** The connection as shown: what passes in less than half a second, as the first connecting, is not worth a flicker. */
import type { StreamState } from '../../client';
import type { Chat } from '../chat.svelte';
import { type Words, wordsFor } from './labels';

const HICCUP = 500;
const CALM = ['live', 'polling', 'refused'];

export class Steady {
  shown = $state.raw<StreamState>({ name: 'connecting' });
  readonly words: Words = $derived.by(() => this.say());
  private now = $state(Date.now());
  private network = $state(true);
  private early = $state(true);

  constructor(private readonly chat: Chat) {
    $effect(() => {
      const state = chat.view.connection;
      const atOnce = CALM.includes(state.name) || state.name === this.shown.name;
      if (atOnce) return void (this.shown = state);
      const timer = setTimeout(() => (this.shown = chat.view.connection), HICCUP);
      return () => clearTimeout(timer);
    });
    $effect(() => {
      const timer = setTimeout(() => (this.early = false), HICCUP);
      return () => clearTimeout(timer);
    });
    $effect(() => {
      if (this.shown.name !== 'offline') return;
      const look = () => ([this.now, this.network] = [Date.now(), navigator.onLine]);
      const timer = setInterval(look, 1000);
      look();
      return () => clearInterval(timer);
    });
  }

  private say(): Words {
    const { shown, network } = this;
    const seconds = shown.name === 'offline' ? Math.ceil((shown.retryAt - this.now) / 1000) : 0;
    const words = wordsFor(shown, { unsent: this.chat.unsent, seconds, network });
    return this.early && shown.name === 'connecting' ? { ...words, sentence: null } : words;
  }
}
