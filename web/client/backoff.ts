/** The delay before a retry: exponential with full jitter, and at least what the server asked for. Pure. */

export interface Backoff {
  /** Milliseconds: the longest first delay, and the longest delay of all. */
  first: number;
  most: number;
}

/** Return milliseconds before attempt number `failures + 1`. `random` is in [0, 1), `retryAfter` in seconds. */
export function delay(failures: number, backoff: Backoff, random: number, retryAfter = 0): number {
  const span = Math.min(backoff.most, backoff.first * 2 ** Math.min(failures, 30));
  return Math.round(retryAfter * 1000 + random * span);
}
