/**
 * Says that this person types: at the first key, again every three seconds while keys follow, and that it is
 * over when it is sent, left, or has paused.
 */
import type { Id } from '../types';

const AGAIN = 3_000;
const PAUSE = 5_000;

export class Typist {
  private where: Id | null = null;
  private saidAt = 0;
  private pause: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly say: (conversation: Id, on: boolean) => void) {}

  /** A key was pressed there. */
  types(conversation: Id, now = Date.now()): void {
    if (this.where !== conversation) this.stops();
    if (this.where === null || now - this.saidAt >= AGAIN) {
      [this.where, this.saidAt] = [conversation, now];
      this.say(conversation, true);
    }
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.stops(), PAUSE);
  }

  stops(): void {
    clearTimeout(this.pause);
    if (this.where === null) return;
    this.say(this.where, false);
    this.where = null;
  }
}
