/**
 * Detects a stalled stream through the second channel: the presence socket reports how far the log goes for this
 * user. A stream that stays behind that without moving is held back on the way, even if it looks healthy.
 */
import { compareCursors } from '../cursor';

/** Milliseconds that the stream may arrive later than the socket, because another node may get an entry first. */
export const GRACE = 3_000;

export class StallDetector {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private expected = '';

  /**
   * `streamCursor()` returns the stream's cursor; `onStall()` is called when it has not moved although entries were
   * due.
   */
  constructor(
    private readonly streamCursor: () => string | null,
    private readonly onStall: () => void,
    private readonly grace = GRACE,
  ) {}

  /** Compare the stream with the latest entry for this user, as the socket's node has seen it. */
  check(cursor: string): void {
    this.expected = cursor;
    const before = this.streamCursor();
    if (this.timer !== undefined || compareCursors(before, cursor) !== 'next') return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.streamCursor() === before) this.onStall();
      // a later cursor counts as well, and entries that are still missing are checked again
      this.check(this.expected);
    }, this.grace);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
