/**
 * The position of the unread line: set by a message that arrives while the user is not looking, or when the user marks
 * messages as unread. It is kept while they read.
 */
import type { Conversation } from '../../client';

export class UnreadMark {
  /** The last seq above the line; null for no line. */
  after = $state<number | null>(null);
  private before: number;
  private marked: boolean;

  constructor(conversation: () => Conversation, looking: () => boolean) {
    const { unread, read_seq, marked_unread = false } = conversation();
    [this.before, this.marked] = [unread, marked_unread];
    if (unread) this.after = read_seq;
    $effect(() => {
      const now = conversation();
      if (now.marked_unread || (now.unread && !this.before && !looking())) this.after = now.read_seq;
      else if (this.marked) this.after = null;
      [this.before, this.marked] = [now.unread, now.marked_unread ?? false];
    });
  }

  clear(): void {
    this.after = null;
  }
}
