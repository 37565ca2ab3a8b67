/** The user's scheduled messages. They are read again whenever one changes, on any device. */
import { createContext, untrack } from 'svelte';
import { asProblem, type Problem, type ScheduledMessage, Triage } from '../../client';
import type { Chat } from '../chat.svelte';
import { messages as m } from '../messages';
import { toasts } from '../toasts.svelte';

export class ScheduledMessages {
  /** The next one first; null until they are known. */
  all = $state.raw<ScheduledMessage[] | null>(null);
  problem = $state.raw<Problem | null>(null);
  readonly failed = $derived.by(() => (this.all ?? []).filter((one) => one.problem).length);
  readonly triage: Triage;
  private round = 0;

  constructor(chat: Chat) {
    this.triage = new Triage(chat.api);
    const live = $derived(chat.view.loaded && (chat.view.connection.name === 'live' || chat.view.connection.name === 'polling'));
    $effect(() => {
      if (live) untrack(() => void this.load());
    });
    $effect(() =>
      chat.listen((entry) => {
        if (entry.event !== 'scheduled') return;
        void this.load();
        if (entry.data.state === 'failed') toasts.say(m.triage.scheduledFailed, true);
      }),
    );
  }

  async load(): Promise<void> {
    const round = ++this.round;
    try {
      const all = await this.triage.scheduled();
      if (round === this.round) [this.all, this.problem] = [all, null];
    } catch (error) {
      if (round === this.round) this.problem = asProblem(error);
    }
  }

  /** Do something with one, and read the list again. Return true if it succeeded. */
  async act(action: Promise<unknown>): Promise<boolean> {
    const done = await toasts.try(action);
    await this.load();
    return done;
  }
}

export const [getScheduled, setScheduled] = createContext<ScheduledMessages>();
