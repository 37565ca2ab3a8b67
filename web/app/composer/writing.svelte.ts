/** What a composer is about to do with what is typed: say it, answer a message, or correct one. */
import { createContext } from 'svelte';
import type { Id, Message } from '../../client';

export class Writing {
  reply = $state.raw<Message | null>(null);
  editing = $state.raw<Message | null>(null);
  /** Files that the message being corrected is to lose. */
  dropped = $state.raw<Id[]>([]);
  /** Set by the composer: takes the focus. */
  focus: () => void = () => undefined;

  /** `thread`: the one whose own composer this is. */
  constructor(readonly thread: number | null = null) {}

  answer(message: Message): void {
    [this.reply, this.editing, this.dropped] = [message, null, []];
    this.focus();
  }

  correct(message: Message): void {
    [this.reply, this.editing, this.dropped] = [null, message, []];
    this.focus();
  }

  /** Takes a file out of what is being corrected. */
  drop(file: Id): void {
    this.dropped = [...this.dropped, file];
  }

  /** Nothing but what is typed. */
  clear(): void {
    [this.reply, this.editing, this.dropped] = [null, null, []];
  }
}

export const [getWriting, setWriting] = createContext<Writing>();
