/** The grammar of Arabic: the six forms of counted nouns, lists, and parts that keep a direction of their own. */
import { Grammar } from '../language';

export const { plural, number, list } = new Grammar('ar');

/**
 * Return a name, a text or a figure as a part of a sentence. It is isolated, so that a Latin name does not reorder the words
 * around it. The mark before it keeps a sentence that begins with it an Arabic one for `dir="auto"`.
 */
export const part = (text: string | number): string => `\u200f\u2068${text}\u2069`;

export const parts = (texts: string[]): string => list(texts.map(part));

type Nouns = [zero: string, one: string, two: string, few: string, many: string, other: string];

/** Return a function that counts a noun: none, one, two, 3 to 10, 11 to 99, and from 100. `#` stands for the number. */
export const counting =
  (...[zero, one, two, few, many, other]: Nouns) =>
  (count: number): string =>
    plural(count, { zero, one, two, few, many, other });

export const members = counting('لا أعضاء', 'عضو واحد', 'عضوان', '# أعضاء', '# عضوًا', '# عضو');
export const replies = counting('لا ردود', 'رد واحد', 'ردّان', '# ردود', '# ردًا', '# رد');
export const others = counting('لا آخرين', 'شخص آخر', 'شخصان آخران', '# آخرون', '# آخرون', '# آخرون');
export const uses = counting('دون استخدام', 'استخدام واحد', 'استخدامان', '# استخدامات', '# استخدامًا', '# استخدام');
export const days = counting('# يوم', 'يوم واحد', 'يومان', '# أيام', '# يومًا', '# يوم');
export const times = counting('# مرة', 'مرة واحدة', 'مرتان', '# مرات', '# مرة', '# مرة');
