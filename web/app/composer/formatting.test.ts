/** Formatting in the message field. `[` and `]` mark the selection, `|` the caret. */
import { expect, test } from 'vitest';
import { asLink, type LineKind, type Mark, nextLine, type Selected, toggleLines, toggleMark } from './formatting';

const read = (marked: string): Selected => {
  const [start, end] = [marked.search(/[[|]/), marked.search(/[\]|]/)];
  return { text: marked.replace(/[[\]|]/g, ''), start, end: marked.includes('|') ? end : end - 1 };
};
const show = (one: Selected | null): string | null => {
  if (!one) return null;
  const { text, start, end } = one;
  return start === end ? `${text.slice(0, start)}|${text.slice(start)}` : `${text.slice(0, start)}[${text.slice(start, end)}]${text.slice(end)}`;
};
const mark = (text: string, sign: Mark) => show(toggleMark(read(text), sign));
const lines = (text: string, kind: LineKind) => show(toggleLines(read(text), kind));
const next = (text: string) => show(nextLine(read(text).text, read(text).start));

test('a mark is put around the words that are selected, and removed by the same key', () => {
  expect(mark('a [red ]fox', '**')).toBe('a **[red]** fox');
  expect(mark('a **[red]** fox', '**')).toBe('a [red] fox');
  expect(mark('a [**red**] fox', '**')).toBe('a [red] fox');
  expect(mark('a |', '~~')).toBe('a ~~|~~');
  expect(mark('~~|~~', '~~')).toBe('|');
  expect(mark('**[red]**', '*')).toBe('***[red]***');
  expect(mark('***[red]***', '*')).toBe('**[red]**');
});

test('lines become a list, another list, and lines again', () => {
  expect(lines('x\n[one\ntwo]', 'bullet')).toBe('x\n[- one\n- two]');
  expect(lines('[- one\n- two]', 'number')).toBe('[1. one\n2. two]');
  expect(lines('[1. one\n2. two]', 'number')).toBe('[one\ntwo]');
  expect(lines('on|e', 'quote')).toBe('> one|');
  expect(lines('[a\nb]', 'code')).toBe('```\n[a\nb]\n```');
  expect(lines('[```\na\n```]', 'code')).toBe('[a]');
});

test('a list goes on in the next line, and ends after an empty item', () => {
  expect(next('- one|')).toBe('- one\n- |');
  expect(next('x\n  9) one|')).toBe('x\n  9) one\n  10) |');
  expect(next('> on|e')).toBe('> on\n> |e');
  expect(next('- one\n- |')).toBe('- one\n|');
  expect([next('one|'), next('-|x'), next('a - b|'), next('\n|')]).toEqual([null, null, null, null]);
});

test('an address that is pasted over a selection makes it a link', () => {
  const paste = (text: string, address: string) => show(asLink(read(text), address));
  expect(paste('see [the plan]', 'https://x.example/a_(b) ')).toBe('see [the plan](https://x.example/a_%28b%29)|');
  expect(paste('see |', 'https://x.example')).toBeNull();
  expect(paste('see [the plan]', 'the other plan')).toBeNull();
  expect(paste('see [the plan]', 'javascript:alert(1)')).toBeNull();
  expect(paste('[https://y.example]', 'https://x.example')).toBeNull();
});
