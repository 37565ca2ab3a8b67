/** How slow a conversation may be. Pure. */

const usual = [0, 5, 10, 30, 60, 300, 900, 3600];

/** `30 seconds`; the longest unit that divides it. */
export function wordsForPace(seconds: number): string {
  if (!seconds) return 'Off';
  const units: [number, string][] = [[3600, 'hour'], [60, 'minute'], [1, 'second']];
  const [size, unit] = units.find(([size]) => seconds % size === 0) ?? [1, 'second'];
  const count = seconds / size;
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** To choose from; what is set now is among them. */
export function paces(now: number): [number, string][] {
  const all = [...new Set([...usual, now])].sort((a, b) => a - b);
  return all.map((seconds) => [seconds, wordsForPace(seconds)]);
}
