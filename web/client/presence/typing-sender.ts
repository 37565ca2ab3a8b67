/**
 * Reports that this user is typing: at the first key, again every three seconds while they type, and the end when
 * they send, leave, or pause for five seconds.
 */
import type { Id } from '../types';

const REPEAT_AFTER = 3_000;
const STOP_AFTER = 5_000;

export class TypingSender {
  private conversation: Id | null = null;
  private sentAt = 0;
  private pauseTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly send: (conversation: Id, on: boolean) => void) {}

  /** Record a key press in a conversation. */
  keyPressed(conversation: Id, now = Date.now()): void {
    if (this.conversation !== conversation) this.stop();
    if (this.conversation === null || now - this.sentAt >= REPEAT_AFTER) {
      [this.conversation, this.sentAt] = [conversation, now];
      this.send(conversation, true);
    }
    clearTimeout(this.pauseTimer);
    this.pauseTimer = setTimeout(() => this.stop(), STOP_AFTER);
  }

  stop(): void {
    clearTimeout(this.pauseTimer);
    if (this.conversation === null) return;
    this.send(this.conversation, false);
    this.conversation = null;
  }
}
