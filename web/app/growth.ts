/** How much longer a function takes when a hostile text is eight times as long. For the tests. */
import { cases } from '../../tests/cases/hostile.json';

export type Case = (typeof cases)[number];
export type Run = (text: string) => unknown;
export { cases };

export const STEP = 8;
/** Linear is 8, quadratic is 64. */
export const GROWTH_MOST = 20;
/** Milliseconds: what takes less for its longest text needs no comparison. */
const MEASURABLE = 10;
/** Milliseconds: what takes longer is not run again. */
const ENDLESS = 3_000;

/** The case's text of this length: what precedes, what repeats, what ends it. */
export function hostile({ prefix, repeat, suffix }: Case, length: number): string {
  const room = Math.max(1, length - prefix.length - suffix.length);
  return prefix + repeat.repeat(Math.floor(room / repeat.length) + 1).slice(0, room) + suffix;
}

/** Milliseconds of processor time of one run, so that a busy machine changes nothing. A refused text has been read too. */
function measure(run: Run, text: string): number {
  const began = process.cpuUsage();
  try {
    run(text);
  } catch (error) {
    if (error instanceof RangeError) throw error; // the stack
  }
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e3;
}

const best = (times: number, run: Run, text: string) =>
  Math.min(...Array.from({ length: times }, () => measure(run, text)));

/**
 * How many times longer the long text takes than the short one; 0 when that cannot be measured. What seems to grow
 * too much is tried again with longer texts, where the compiler and the collector of garbage weigh less.
 */
export function growth(run: Run, one: Case, most: number): number {
  let least = Infinity;
  for (let attempt = 0; attempt < 4 && least > GROWTH_MOST; attempt++) {
    const [short, long] = [hostile(one, (most << attempt) / STEP), hostile(one, most << attempt)];
    const slow = best(3, run, long);
    if (slow < MEASURABLE) return 0;
    if (slow > ENDLESS) return Infinity;
    least = Math.min(least, slow / Math.max(best(6, run, short), 0.01));
  }
  return least;
}

/** The cases for which the time grows too much, with how much it grows. */
export function findSlow(run: Run, most: number, among: Case[] = cases): string[] {
  const grown = among.map((one) => ({ name: one.name, ratio: growth(run, one, most) }));
  return grown.filter(({ ratio }) => ratio > GROWTH_MOST).map(({ name, ratio }) => `${name} ×${Math.round(ratio)}`);
}
