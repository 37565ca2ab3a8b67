/**
 * The second channel as witness: the presence socket tells how far the log goes that this person should have
 * heard. A stream that stays behind it without moving is held back on the way, whatever it looks like.
 */
import { compareCursors } from '../cursor';

/** Milliseconds that the stream may take longer than the socket: another node may have been told first. */
export const GRACE = 3_000;

export class StallDetector {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private expected = '';

  /** `reached()`: the stream's cursor; `stalled()`: it has not moved, though there was something to bring. */
  constructor(
    private readonly streamCursor: () => string | null,
    private readonly onStall: () => void,
    private readonly grace = GRACE,
  ) {}

  /** The last entry addressed to this person, as the socket's node has seen it. */
  check(cursor: string): void {
    this.expected = cursor;
    const before = this.streamCursor();
    if (this.timer !== undefined || compareCursors(before, cursor) !== 'next') return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.streamCursor() === before) this.onStall();
      // what was heard meanwhile counts, and what is still missing stays in question
      this.check(this.expected);
    }, this.grace);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
