/** Finding emoji by name, best match first. Pure. */
import type { Emoji } from './data';

const TYPED_MOST = 64;

/** The names that stand between colons in a text: those of custom emoji, and other words. */
export function customNames(text: string): string[] {
  if (!text.includes(':')) return [];
  return [...new Set(Array.from(text.matchAll(/(?<=:)[a-z0-9_-]{2,32}(?=:)/g), ([name]) => name))];
}

/** Return the parts of a text: each that may be a custom emoji, such as `:party:`, and what is between them. */
export function splitSigns(text: string): string[] {
  return text.includes(':') ? text.split(/(:[a-z0-9_-]{2,32}:)/) : [text];
}

/** Return the custom emoji whose names have these letters, those that begin with them first. */
export function findCustom<T extends { name: string }>(all: T[], typed: string, most: number): T[] {
  const asked = typed.slice(0, TYPED_MOST).toLowerCase().trim().replace(/^:|:$/g, '').replace(/\s/g, '-');
  const found = all.filter(({ name }) => name.includes(asked));
  return [...found.filter(({ name }) => name.startsWith(asked)), ...found.filter(({ name }) => !name.startsWith(asked))].slice(0, most);
}

/** Return a name for an emoji from that of its file: `Party Parrot.gif` becomes `party-parrot`. */
export function nameOfFile(file: string): string {
  const [words = ''] = file.slice(0, 100).toLowerCase().split('.', 1);
  return words.replace(/[^a-z0-9_-]+/g, '-').slice(0, 32);
}

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
