/** How patient the stream is. */
import type { Backoff } from './backoff';
import type { StreamTimeouts } from './stream-connection';

export interface Timings extends StreamTimeouts {
  /** Milliseconds without an entry after which a replay counts as caught up. */
  quiet: number;
  /** Seconds that a long-poll may wait. */
  poll: number;
  /**
   * Milliseconds until the first probe for a healed stream; doubled after each that fails, up to ten minutes.
   */
  probeAfter: number;
  /** `first` is replaced by what the server's `retry:` says. */
  backoff: Backoff;
}

export const TIMINGS: Timings = {
  readyWithin: 8_000,
  silence: 40_000, // the server beats every 15 s: two beats and some
  quiet: 250,
  poll: 25,
  probeAfter: 5_000,
  backoff: { first: 1_000, most: 30_000 },
};
