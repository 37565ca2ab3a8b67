/**
 * The second channel as witness: the presence socket tells how far the log goes that this person should have
 * heard. A stream that stays behind it without moving is held back on the way, whatever it looks like.
 */
import { relate } from '../cursor';

/** Milliseconds that the stream may take longer than the socket: another node may have been told first. */
export const GRACE = 3_000;

export class Witness {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private latest = '';

  /** `reached()`: the stream's cursor; `stalled()`: it has not moved, though there was something to bring. */
  constructor(
    private readonly reached: () => string | null,
    private readonly stalled: () => void,
    private readonly grace = GRACE,
  ) {}

  /** The last entry addressed to this person, as the socket's node has seen it. */
  hear(cursor: string): void {
    this.latest = cursor;
    const before = this.reached();
    if (this.timer !== undefined || relate(before, cursor) !== 'next') return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.reached() === before) this.stalled();
      // what was heard meanwhile counts, and what is still missing stays in question
      this.hear(this.latest);
    }, this.grace);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
