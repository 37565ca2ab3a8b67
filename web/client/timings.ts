/** Timeouts and delays of the stream. */
import type { Backoff } from './backoff';
import type { StreamTimeouts } from './stream-connection';

export interface Timings extends StreamTimeouts {
  /** Milliseconds without an entry after which a replay counts as caught up. */
  quiet: number;
  /** Seconds that a long-poll may wait. */
  poll: number;
  /** Milliseconds until the first probe of a stream. It doubles after each failed probe, up to ten minutes. */
  probeAfter: number;
  /** The server's `retry:` replaces `first`. */
  backoff: Backoff;
}

export const TIMINGS: Timings = {
  readyWithin: 8_000,
  silence: 40_000, // more than two beats: the server beats every 15 s
  quiet: 250,
  poll: 25,
  probeAfter: 5_000,
  backoff: { first: 1_000, most: 30_000 },
};
