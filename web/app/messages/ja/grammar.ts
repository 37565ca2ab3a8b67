/** The grammar of Japanese: numbers before counters, and lists. Nouns have no plural. */
import { Grammar } from '../language';

export const { number, list } = new Grammar('ja');

/** Return a function that counts with a text, in which `#` stands for the number. */
export const counting =
  (text: string) =>
  (count: number): string =>
    text.replaceAll('#', () => number(count));

export const members = counting('#人のメンバー');
export const replies = counting('#件の返信');
export const others = counting('他#人');
