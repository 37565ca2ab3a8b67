/**
 * How long to wait before trying again: exponential with full jitter, never sooner than the server asked.
 * Pure.
 */

export interface Backoff {
  /** Milliseconds: the span of the first wait, and the most a span may grow to. */
  first: number;
  most: number;
}

/** Milliseconds before attempt number `failures + 1`; `random` is in [0, 1), `retryAfter` in seconds. */
export function delay(failures: number, backoff: Backoff, random: number, retryAfter = 0): number {
  const span = Math.min(backoff.most, backoff.first * 2 ** Math.min(failures, 30));
  return Math.round(retryAfter * 1000 + random * span);
}
