/** What a composer is about to do with what is typed: say it, answer a message, or correct one. */
import { createContext } from 'svelte';
import type { Message } from '../../client';

export class Writing {
  reply = $state.raw<Message | null>(null);
  editing = $state.raw<Message | null>(null);
  /** Set by the composer: takes the focus. */
  focus: () => void = () => undefined;

  /** `thread`: the one whose own composer this is. */
  constructor(readonly thread: number | null = null) {}

  answer(message: Message): void {
    [this.reply, this.editing] = [message, null];
    this.focus();
  }

  correct(message: Message): void {
    [this.reply, this.editing] = [null, message];
    this.focus();
  }

  /** Nothing but what is typed. */
  clear(): void {
    [this.reply, this.editing] = [null, null];
  }
}

export const [getWriting, setWriting] = createContext<Writing>();
