/** Finding emoji by name, best match first. Pure. */
import type { Emoji } from './data';

const TYPED_MOST = 64;

export function findEmoji(all: Emoji[], typed: string, most: number): Emoji[] {
  const asked = typed.slice(0, TYPED_MOST).toLowerCase().replace(/[_:]/g, ' ').trim().split(/\s+/);
  return all
    .map((emoji) => ({ emoji, rank: Math.max(...asked.map((word) => rankOf(emoji, word))) }))
    .filter((one) => one.rank < Infinity)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map((one) => one.emoji);
}

/** Return the rank of a match, 0 for the best: short names, then words of names, then other words; whole words before prefixes. */
function rankOf({ name, codes, words }: Emoji, word: string): number {
  const parts = [...codes.flatMap((code) => code.split('_')), ...name.toLowerCase().split(/[\s-]+/)];
  const begins = (one: string) => one.startsWith(word);
  const ranks = [codes.includes(word), codes.some(begins), parts.includes(word), parts.some(begins)];
  const rank = [...ranks, words.includes(word), words.some(begins)].indexOf(true);
  return rank < 0 ? Infinity : rank;
}
