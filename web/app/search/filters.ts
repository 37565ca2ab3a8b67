/** What narrows a search, as it is typed: `from:ana before:2026-01-31 has:link`. Pure. */

export interface Option {
  /** What stands in the list, and a word about it. */
  text: string;
  hint: string;
  /** What is written in the field in place of what was typed. */
  insert: string;
  /** A filter's name alone: its value is chosen next. */
  open?: boolean;
  /** A conversation to look in: it does not stand in the text. */
  place?: number;
}

export const filters: Option[] = [
  { text: 'from:', hint: 'written by a person', insert: 'from:', open: true },
  { text: 'in:', hint: 'in a conversation', insert: 'in:', open: true },
  { text: 'before:', hint: 'earlier than a day', insert: 'before:', open: true },
  { text: 'after:', hint: 'from a day on', insert: 'after:', open: true },
  { text: 'has:link', hint: 'with a link in it', insert: 'has:link' },
  { text: 'has:file', hint: 'with a file or a picture', insert: 'has:file' },
];

/** The word at the caret: of a filter, its `name` and what was `typed` after the colon; else only what was typed. */
export interface Word {
  name: string | null;
  typed: string;
  start: number;
  end: number;
}

export function wordAt(text: string, caret: number): Word {
  const start = startOfLastWord(text.slice(0, caret));
  const end = caret + text.slice(caret).search(/\s|$/);
  const [, name, value] = /^(from|in|before|after|has):(.*)$/i.exec(text.slice(start, end)) ?? [];
  return { name: name?.toLowerCase() ?? null, typed: value ?? text.slice(start, end), start, end };
}

/** Where the word at the end of a text starts. A regular expression would be quadratic. */
function startOfLastWord(text: string): number {
  let start = text.length;
  while (start > 0 && /\S/.test(text[start - 1] as string)) start--;
  return start;
}

/** The names of filters that begin as the word does. */
export function namesFor(word: Word): Option[] {
  if (word.name === 'has') return filters.filter((one) => one.insert.startsWith(`has:${word.typed.toLowerCase()}`));
  return word.name || !word.typed ? [] : filters.filter((one) => one.insert.startsWith(word.typed.toLowerCase()));
}

const DAY = 86_400_000;

/** Days that one often means. */
export function daysFor({ name, typed }: Word, now: Date): Option[] {
  const back: [string, number][] = [['Today', 0], ['Yesterday', 1], ['A week ago', 7], ['A month ago', 30], ['A year ago', 365]];
  return back
    .map(([text, days]) => ({ text, day: new Date(now.getTime() - days * DAY).toISOString().slice(0, 10) }))
    .filter(({ text, day }) => day.startsWith(typed) || text.toLowerCase().startsWith(typed.toLowerCase()))
    .map(({ text, day }) => ({ text, hint: day, insert: `${name}:${day}` }));
}

/** The text with the word replaced, and where the caret is then. */
export function replace(text: string, word: Word, { insert, open }: Option): { text: string; caret: number } {
  const rest = text.slice(word.end).replace(/^\s+/, '');
  const before = text.slice(0, word.start) + insert + (open || !insert ? '' : ' ');
  return { text: before + rest, caret: before.length };
}

/** As it is asked while it is being typed: the last word may not be whole yet. */
export function asTyped(q: string): string {
  const text = q.trimEnd();
  const last = text.slice(startOfLastWord(text));
  const whole = text !== q || (text.match(/"/g) ?? []).length % 2 === 1;
  return whole || !/^[\p{L}\p{M}\p{N}]{3,}$/u.test(last) ? text : `${text}*`;
}
