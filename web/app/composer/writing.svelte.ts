/** The message that a composer replies to or edits, if any. A message is edited in its place, by a composer of its own. */
import { createContext } from 'svelte';
import type { Id, Message } from '../../client';

export class Writing {
  reply = $state.raw<Message | null>(null);
  /** The message that this composer edits. */
  editing = $state.raw<Message | null>(null);
  /** The message that is edited in its place, by another composer. */
  inPlace = $state.raw<Message | null>(null);
  /** What the user has changed its text to, while its row is not in the page. */
  unsaved: string | null = null;
  /** The files that saving removes from the edited message. */
  dropped = $state.raw<Id[]>([]);
  /** Focuses the message field; set by the composer. */
  focus: () => void = () => undefined;
  /** Puts the text and the files of a message that was taken back into the composer; set by the composer. */
  takeBack: (message: Message) => void = () => undefined;

  /** `thread`: the thread that the composer belongs to, or null for the conversation. */
  constructor(readonly thread: number | null = null) {}

  /** Return the writing of a composer that edits one message. */
  static edit(message: Message, thread: number | null): Writing {
    const writing = new Writing(thread);
    writing.editing = message;
    return writing;
  }

  startReply(message: Message): void {
    [this.reply, this.editing, this.dropped] = [message, null, []];
    this.focus();
  }

  startEdit(message: Message): void {
    [this.inPlace, this.unsaved] = [message, null];
  }

  /** Stop editing a message in its place. */
  endEdit(): void {
    [this.inPlace, this.unsaved] = [null, null];
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
