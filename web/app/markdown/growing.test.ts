/** Markdown of a text that grows: parts that are finished stay, and together they are the whole text. */
import { expect, test } from 'vitest';
import { randomFrom } from '../../client/testing/seeded-random';
import { completed, GrowingText, type Part } from './growing';
import { NO_MENTIONS } from './mentions';
import { makeParser } from './parser';

const parser = makeParser(() => '');
const html = (text: string) => parser.render(text, { ...NO_MENTIONS });
const squeezed = (text: string) => text.replace(/\s*\n\s*/g, '\n').trim();

/** Grow a text in pieces of random lengths. Return its parts; `seen` gets the parts after each piece. */
function grow(text: string, random: () => number, seen: (parts: Part[]) => void = () => undefined): Part[] {
  const growing = new GrowingText();
  for (let at = 0; at < text.length; ) {
    at += 1 + Math.floor(random() ** 3 * 30);
    seen(growing.update(text.slice(0, at), true));
  }
  return growing.update(text, false);
}

const LINES = [
  ...['', '', '', '', 'A sentence.', '**bold** and `code`', '# Heading', '### Small', '> quote', '> - item', '>', '---', '***'],
  ...['- item', '- [link](https://x.example)', '* star', '1. one', '2. two', '10) ten', '  - nested', '    deep', '  more of it', ' one space'],
  ...['```', '```js', '~~~', '````', '  ```', ' ```', '   code', 'let x = 1;', '- ```', '| a | b |', '|---|---|', '| 1 | 2 |', '-', '1.', '#'],
];

/** Return a random document of such lines. */
function makeText(random: () => number): string {
  const count = 2 + Math.floor(random() * 14);
  return Array.from({ length: count }, () => LINES[Math.floor(random() * LINES.length)]).join('\n');
}

test('the parts of a text render as the whole text does', () => {
  for (let seed = 1; seed <= 3_000; seed++) {
    const random = randomFrom(seed);
    const text = makeText(random);
    const parts = grow(text, random);
    expect(parts.map((part) => part.text).join(''), `seed ${seed}`).toBe(text);
    expect(squeezed(parts.map((part) => html(part.text)).join('\n')), `seed ${seed}: ${JSON.stringify(text)}`).toBe(
      squeezed(html(text)),
    );
  }
}, 60_000);

test('a part that is closed never changes', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomFrom(seed);
    let before: Part[] = [];
    grow(makeText(random), random, (parts) => {
      const closed = before.filter((part) => !part.open);
      expect(parts.slice(0, closed.length).every((part, n) => part === closed[n]), `seed ${seed}`).toBe(true);
      before = parts;
    });
  }
});

test('each paragraph, heading and code block closes as soon as the next one begins', () => {
  const growing = new GrowingText();
  const text = '# Soup\nWash the **leek**.\n\nCut it.\n\n```sh\nboil --water\n\nstir\n```\nServe.\n\n- a\n\n- b\n\nEnd';
  const parts = growing.update(text, true);
  expect(parts.map((part) => part.text.trim())).toEqual([
    '# Soup',
    'Wash the **leek**.',
    'Cut it.',
    '```sh\nboil --water\n\nstir\n```',
    'Serve.',
    '- a\n\n- b',
    'End',
  ]);
  expect(parts.map((part) => part.open)).toEqual([...Array(6).fill(false), true]);
});

test('a text that is replaced starts anew', () => {
  const growing = new GrowingText();
  growing.update('one\n\ntwo', true);
  expect(growing.update('another', false)).toEqual([{ at: 0, text: 'another', open: false }]);
  expect(growing.update('', false)).toEqual([]);
});

test('long lists and long texts without empty lines are divided too', () => {
  const list = '- an item of a long list\n'.repeat(1_000);
  const log = '2026-11-30 a line of a log\n'.repeat(1_000);
  const longest = (text: string) => Math.max(...grow(text, randomFrom(1)).map((part) => part.text.length));
  expect([longest(list), longest(log)].every((length) => length < 5_000)).toBe(true);
});

test.each([
  ['some **bold', 'some **bold**'],
  ['some **bold ', 'some **bold** '],
  ['some **bold*', 'some **bold**'],
  ['some **', 'some '],
  ['**bold** and *soft', '**bold** and *soft*'],
  ['**bold and *soft', '**bold and *soft***'],
  ['2*3 and 4**5', '2*3 and 4**5'],
  ['* item', '* item'],
  ['~~gone', '~~gone~~'],
  ['use `npm ru', 'use `npm ru`'],
  ['use `', 'use '],
  ['`a` and ``b', '`a` and ``b``'],
  ['\\*not', '\\*not'],
  ['see [the page](https://exam', 'see the page'],
  ['see [the', 'see [the'],
  ['text\n-', 'text'],
  ['- a\n- ', '- a'],
  ['1. a\n2.', '1. a'],
  ['text\n##', 'text'],
  ['text\n``', 'text'],
  ['text\n```pyth', 'text'],
  ['```python\n', ''],
  ['text\n```python\n', 'text'],
  ['```python\nx = 1\n``', '```python\nx = 1\n'],
  ['```\n**not bold', '```\n**not bold'],
  ['| a | b', '| a | b\n|-|-|'],
  ['| a | b |\n', '| a | b |\n|-|-|'],
  ['| a | b |\n|--', '| a | b |\n|-|-|'],
  ['| a | b |\n|---|---|\n| 1', '| a | b |\n|---|---|\n| 1'],
  ['text\n\n| a |\n|', 'text\n\n| a |\n|-|'],
  ['|', ''],
])('markup that is half written is shown as it will be: %j', (text, shown) => {
  expect(completed(text)).toBe(shown);
});
