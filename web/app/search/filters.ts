/** Search filters as they are typed: `from:ana before:2026-01-31 has:link`. Pure. */
import { messages as m } from '../messages';
import { dayOf } from '../time';

export interface Option {
  /** The text in the list, and a hint beside it. */
  text: string;
  hint: string;
  /** The text that replaces the typed word. */
  insert: string;
  /** True for the name of a filter, whose value is chosen next. */
  open?: boolean;
  /** A conversation to search in; it is not part of the text. */
  place?: number;
}

export const filters = (): Option[] => [
  { text: 'from:', hint: m.search.from, insert: 'from:', open: true },
  { text: 'in:', hint: m.search.inFilter, insert: 'in:', open: true },
  { text: 'before:', hint: m.search.before, insert: 'before:', open: true },
  { text: 'after:', hint: m.search.after, insert: 'after:', open: true },
  { text: 'on:', hint: m.search.on, insert: 'on:', open: true },
  { text: 'has:link', hint: m.search.hasLink, insert: 'has:link' },
  { text: 'has:file', hint: m.search.hasFile, insert: 'has:file' },
];

/** The word at the caret. For a filter: its `name` and the text `typed` after the colon; else `name` is null. */
export interface Word {
  name: string | null;
  typed: string;
  start: number;
  end: number;
}

export function wordAt(text: string, caret: number): Word {
  const start = startOfLastWord(text.slice(0, caret));
  const end = caret + text.slice(caret).search(/\s|$/);
  const [, name, value] = /^(from|in|before|after|on|has):(.*)$/i.exec(text.slice(start, end)) ?? [];
  return { name: name?.toLowerCase() ?? null, typed: value ?? text.slice(start, end), start, end };
}

/** Return the index at which the last word of a text starts. A regular expression would take quadratic time. */
function startOfLastWord(text: string): number {
  let start = text.length;
  while (start > 0 && /\S/.test(text[start - 1] as string)) start--;
  return start;
}

/** Return the filters that start with the word. */
export function namesFor(word: Word): Option[] {
  if (word.name === 'has') return filters().filter((one) => one.insert.startsWith(`has:${word.typed.toLowerCase()}`));
  return word.name || !word.typed ? [] : filters().filter((one) => one.insert.startsWith(word.typed.toLowerCase()));
}

/** Return frequently used days that start with the word. They are days of the reader's time zone. */
export function daysFor({ name, typed }: Word, now: Date): Option[] {
  const { today, yesterday, weekAgo, monthAgo, yearAgo } = m.search.days;
  const back: [string, number][] = [[today, 0], [yesterday, 1], [weekAgo, 7], [monthAgo, 30], [yearAgo, 365]];
  return back
    .map(([text, days]) => ({ text, day: dayOf(new Date(now.getFullYear(), now.getMonth(), now.getDate() - days).toISOString()) }))
    .filter(({ text, day }) => day.startsWith(typed) || text.toLowerCase().startsWith(typed.toLowerCase()))
    .map(({ text, day }) => ({ text, hint: day, insert: `${name}:${day}` }));
}

/** Replace the word; return the new text and the new position of the caret. */
export function replace(text: string, word: Word, { insert, open }: Option): { text: string; caret: number } {
  const rest = text.slice(word.end).replace(/^\s+/, '');
  const before = text.slice(0, word.start) + insert + (open || !insert ? '' : ' ');
  return { text: before + rest, caret: before.length };
}

/** Return whether the text has a filter whose days depend on the time zone. */
export function namesDays(text: string): boolean {
  return /(?:^|\s)(?:before|after|on):/i.test(text);
}

/** Return the query for a text that is still being typed: a last word with digits is searched by its prefix, as all others are. */
export function asTyped(q: string): string {
  // the name of a filter whose value is still missing
  const text = q.trimEnd().replace(/(?<!\S)(?:from|in|before|after|on|has):$/i, '').trimEnd();
  const last = text.slice(startOfLastWord(text));
  const whole = text !== q || (text.match(/["“”„«»]/g) ?? []).length % 2 === 1;
  const begun = last.length > 2 && /\p{N}/u.test(last) && /^[\p{L}\p{M}\p{N}]+(?:-[\p{L}\p{M}\p{N}]+)*$/u.test(last);
  return whole || !begun ? text : `${text}*`;
}
