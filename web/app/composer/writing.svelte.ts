/** The message that a composer replies to or edits, if any. */
import { createContext } from 'svelte';
import type { Id, Message } from '../../client';

export class Writing {
  reply = $state.raw<Message | null>(null);
  editing = $state.raw<Message | null>(null);
  /** The files that saving removes from the edited message. */
  dropped = $state.raw<Id[]>([]);
  /** Focuses the message field; set by the composer. */
  focus: () => void = () => undefined;

  /** `thread`: the thread that the composer belongs to, or null for the conversation. */
  constructor(readonly thread: number | null = null) {}

  startReply(message: Message): void {
    [this.reply, this.editing, this.dropped] = [message, null, []];
    this.focus();
  }

  startEdit(message: Message): void {
    [this.reply, this.editing, this.dropped] = [null, message, []];
    this.focus();
  }

  /** Remove a file from the edited message. */
  drop(file: Id): void {
    this.dropped = [...this.dropped, file];
  }

  /** Stop replying or editing; the text stays. */
  clear(): void {
    [this.reply, this.editing, this.dropped] = [null, null, []];
  }
}

export const [getWriting, setWriting] = createContext<Writing>();
