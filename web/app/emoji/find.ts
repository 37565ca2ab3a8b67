/** Which emoji answer what was typed, the best first. Pure. */
import type { Emoji } from './data';

export function findEmoji(all: Emoji[], typed: string, most: number): Emoji[] {
  const asked = typed.toLowerCase().replace(/[_:]/g, ' ').trim().split(/\s+/);
  return all
    .map((emoji) => ({ emoji, rank: rankOf(emoji, asked) }))
    .filter((one) => one.rank < Infinity)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map((one) => one.emoji);
}

/** Every word must be found; what it is called counts before what it is about, a whole word before its beginning. */
function rankOf({ name, codes, words }: Emoji, asked: string[]): number {
  const called = [...codes.flatMap((code) => [code, ...code.split('_')]), ...name.toLowerCase().split(/[\s-]+/)];
  return Math.max(...asked.map((word) => rank(called, words, word)));
}

function rank(called: string[], about: string[], word: string): number {
  if (called[0] === word) return 0;
  if (called.includes(word)) return 1;
  if (called.some((one) => one.startsWith(word))) return 2;
  if (about.includes(word)) return 3;
  return about.some((one) => one.startsWith(word)) ? 4 : Infinity;
}
