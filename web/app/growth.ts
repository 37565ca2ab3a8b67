/** Growth of a function's running time when a hostile text is eight times as long. For the tests. */
import { cases } from '../../tests/cases/hostile.json';

export type Case = (typeof cases)[number];
export type Run = (text: string) => unknown;
export { cases };

export const STEP = 8;
/** Linear is 8, quadratic is 64. */
export const GROWTH_MOST = 20;
/** Milliseconds. A function that takes less for its longest text is not compared. */
const MEASURABLE = 10;
/** Milliseconds. A function that takes longer is not run again. */
const ENDLESS = 1_500;

/** Return the case's text of this length: its prefix, its repeated part and its suffix. */
export function hostile({ prefix, repeat, suffix }: Case, length: number): string {
  const room = Math.max(1, length - prefix.length - suffix.length);
  return prefix + repeat.repeat(Math.floor(room / repeat.length) + 1).slice(0, room) + suffix;
}

/** Return the processor time of one run in milliseconds, so that a busy machine changes nothing. A rejected text counts too. */
function measure(run: Run, text: string): number {
  const began = process.cpuUsage();
  try {
    run(text);
  } catch (error) {
    if (error instanceof RangeError) throw error; // the stack overflowed
  }
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e3;
}

function best(times: number, run: Run, text: string): number {
  let least = Infinity;
  for (let n = 0; n < times; n++) {
    least = Math.min(least, measure(run, text));
    if (least > ENDLESS) break;
  }
  return least;
}

/**
 * Return how many times longer the long text takes than the short one, or 0 if that cannot be measured. A ratio that is
 * too large is measured again with longer texts, where the compiler and the garbage collector matter less.
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

/** Return the cases for which the time grows too much, each with its ratio. */
export function findSlow(run: Run, most: number, among: Case[] = cases): string[] {
  const grown = among.map((one) => ({ name: one.name, ratio: growth(run, one, most) }));
  return grown.filter(({ ratio }) => ratio > GROWTH_MOST).map(({ name, ratio }) => `${name} ×${Math.round(ratio)}`);
}
