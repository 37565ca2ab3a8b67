/** The position of the unread line: set by a message that arrives while the user is not looking, kept while they read. */
import type { Conversation } from '../../client';

export class UnreadMark {
  /** The last seq above the line; null for no line. */
  after = $state<number | null>(null);
  private before: number;

  constructor(conversation: () => Conversation, looking: () => boolean) {
    const { unread, read_seq } = conversation();
    this.before = unread;
    if (unread) this.after = read_seq;
    $effect(() => {
      const now = conversation();
      if (now.unread && !this.before && !looking()) this.after = now.read_seq;
      this.before = now.unread;
    });
  }

  clear(): void {
    this.after = null;
  }
}
