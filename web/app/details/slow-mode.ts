/** The intervals of slow mode, in seconds. Pure. */
import { messages as m } from '../messages';

const USUAL = [0, 5, 10, 30, 60, 300, 900, 3600];
const UNITS = [[3600, 'hour'], [60, 'minute'], [1, 'second']] as const;

/** Return a name such as `30 seconds`, in the longest unit that divides the interval; `Off` for 0. */
export function intervalName(seconds: number): string {
  if (!seconds) return m.details.off;
  const [size, unit] = UNITS.find(([size]) => seconds % size === 0) ?? UNITS[2];
  return m.details.interval(seconds / size, unit);
}

/** Return the intervals to choose from, including the current one. */
export function intervals(now: number): [number, string][] {
  const all = [...new Set([...USUAL, now])].sort((a, b) => a - b);
  return all.map((seconds) => [seconds, intervalName(seconds)]);
}
