/** Formatting of the text in the message field: marks around a selection, lists and quotes, links. Pure, in linear time. */
import { isSafe } from '../markdown/links';

/** A text and what is selected in it, as indexes. */
export interface Selected {
  text: string;
  start: number;
  end: number;
}

export type Mark = '**' | '*' | '~~' | '`';

/** Put a mark around the selection, or remove it. Without a selection, the caret stands within a new pair. */
export function toggleMark({ text, start, end }: Selected, mark: Mark): Selected {
  const [from, to] = trimmed(text, start, end);
  const inner = text.slice(from, to);
  const { length } = mark;
  const inside = inner.length >= 2 * length && isMarked(inner, mark);
  if (inside) return replaced(text, from, to, inner.slice(length, -length), 0);
  const [before, after] = [text.slice(0, from), text.slice(to)];
  if (endsWithMark(before, mark) && startsWithMark(after, mark))
    return replaced(text, from - length, to + length, inner, 0);
  return replaced(text, from, to, mark + inner + mark, length);
}

/** Replace a part of a text and select the new part, without `edge` letters at either end. */
function replaced(text: string, from: number, to: number, part: string, edge: number): Selected {
  return { text: text.slice(0, from) + part + text.slice(to), start: from + edge, end: from + part.length - edge };
}

/** Return the selection without spaces at its ends: marks beside them would mean nothing. */
function trimmed(text: string, start: number, end: number): [number, number] {
  let [from, to] = [start, end];
  while (from < to && /\s/.test(text[from] as string)) from++;
  while (to > from && /\s/.test(text[to - 1] as string)) to--;
  return [from, to];
}

/** `*` is not that of `**`, unless both are there. */
const endsWithMark = (text: string, mark: Mark) => (mark === '*' ? starsAt(text, -1) % 2 === 1 : text.endsWith(mark));
const startsWithMark = (text: string, mark: Mark) => (mark === '*' ? starsAt(text, 0) % 2 === 1 : text.startsWith(mark));
const isMarked = (text: string, mark: Mark) => startsWithMark(text, mark) && endsWithMark(text, mark);

/** Return how many stars are at the end (-1) or the beginning (0) of a text, at most four. */
function starsAt(text: string, end: 0 | -1): number {
  let count = 0;
  while (count < 4 && text.at(end === 0 ? count : -1 - count) === '*') count++;
  return count;
}

export type LineKind = 'bullet' | 'number' | 'quote' | 'code';

const MARKERS: Record<Exclude<LineKind, 'code'>, RegExp> = {
  bullet: /^[ \t]{0,12}[-*+] /,
  number: /^[ \t]{0,12}\d{1,9}[.)] /,
  quote: /^> ?/,
};

/** Make the selected lines a list, a quote or a block of code, or remove that. */
export function toggleLines({ text, start, end }: Selected, kind: LineKind): Selected {
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const next = text.indexOf('\n', end);
  const to = next < 0 ? text.length : next;
  const lines = text.slice(from, to).split('\n');
  if (kind === 'code') return fenced(text, from, to, lines);
  const marker = MARKERS[kind];
  const marked = lines.every((line) => marker.test(line));
  const bare = (line: string) => (kind === 'quote' ? line : line.replace(MARKERS.bullet, '').replace(MARKERS.number, ''));
  const changed = lines.map((line, n) => {
    if (marked) return line.replace(marker, '');
    return { bullet: '- ', number: `${n + 1}. `, quote: '> ' }[kind] + bare(line);
  });
  const part = changed.join('\n');
  return { text: text.slice(0, from) + part + text.slice(to), start: lines.length > 1 ? from : from + part.length, end: from + part.length };
}

function fenced(text: string, from: number, to: number, lines: string[]): Selected {
  const isFence = (line: string | undefined) => line?.startsWith('```') ?? false;
  if (lines.length > 1 && isFence(lines[0]) && isFence(lines.at(-1))) return replaced(text, from, to, lines.slice(1, -1).join('\n'), 0);
  const inner = lines.join('\n');
  const [before, after] = ['```\n', '\n```'];
  const start = from + before.length;
  return { text: text.slice(0, from) + before + inner + after + text.slice(to), start, end: start + inner.length };
}

const ITEM = /^([ \t]{0,12})(?:([-*+])|(\d{1,9})([.)])|(>))( {1,4})/;

/**
 * Break the line at the caret within a list or a quote, and continue it; in an empty item, end the list. Return null
 * outside of both.
 */
export function nextLine(text: string, caret: number): Selected | null {
  const from = text.lastIndexOf('\n', caret - 1) + 1;
  const line = text.slice(from, caret);
  const [whole, indent = '', bullet, number, dot, , gap = ' '] = ITEM.exec(line) ?? [];
  if (whole === undefined) return null;
  const rest = text.slice(caret);
  if (line.length === whole.length && /^(?:\n|$)/.test(rest)) {
    return { text: text.slice(0, from) + rest, start: from, end: from };
  }
  const marker = bullet ?? (number ? `${Number(number) + 1}${dot}` : '>');
  const part = `\n${indent}${marker}${gap}`;
  const at = caret + part.length;
  return { text: text.slice(0, caret) + part + rest, start: at, end: at };
}

const ADDRESS = /^https?:\/\/\S{1,2000}$/;

/** Return the text with the selection as a link to a pasted address; null if that is not what was pasted or selected. */
export function asLink({ text, start, end }: Selected, pasted: string): Selected | null {
  const [from, to] = trimmed(text, start, end);
  const [label, address] = [text.slice(from, to), pasted.trim()];
  if (!label || /[[\]\n]/.test(label) || ADDRESS.test(label) || !ADDRESS.test(address) || !isSafe(address)) return null;
  const target = address.replace(/[()]/g, (sign) => (sign === '(' ? '%28' : '%29'));
  const part = `[${label}](${target})`;
  const at = from + part.length;
  return { text: text.slice(0, from) + part + text.slice(to), start: at, end: at };
}
