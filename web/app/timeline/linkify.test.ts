/** Links are found where a reader sees them, and nothing becomes one that a browser should not follow. */
import { expect, test } from 'vitest';
import { isOnlyEmoji, linkify } from './linkify';

const links = (text: string) => linkify(text).flatMap((piece) => (piece.href ? [piece.text] : []));

test.each([
  ['see https://example.com.', ['https://example.com']],
  ['(https://example.com/a)', ['https://example.com/a']],
  ['https://en.example.org/wiki/Tandem_(bicycle)', ['https://en.example.org/wiki/Tandem_(bicycle)']],
  ['https://a.example, http://b.example!', ['https://a.example', 'http://b.example']],
  ['"https://example.com/?a=1&b=2"', ['https://example.com/?a=1&b=2']],
  ['<https://example.com>', ['https://example.com']],
  ['https://例え.example/パス', ['https://例え.example/パス']],
])('%s', (text, expected) => {
  expect(links(text)).toEqual(expected);
});

test.each([
  'javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'https://',
  'https://user:pass@example.com',
  'xhttps://example.com',
  'ftp://example.com',
  '//example.com',
])('%s is no link', (text) => {
  expect(links(text)).toEqual([]);
});

test('the pieces together are the text, and every address is of the web', () => {
  const text =
    'a https://x.example/"onmouseover="alert(1) b\nhttps://y.example/<img src=x onerror=alert(1)> é👋';
  const pieces = linkify(text);
  expect(pieces.map((piece) => piece.text).join('')).toBe(text);
  for (const { href } of pieces) if (href) expect(new URL(href).protocol).toBe('https:');
});

test('the cost of a long link grows with its length alone', () => {
  // were it its square, this would outlast the test's limit
  expect(links(`https://example.com/${').'.repeat(200_000)}`)).toEqual(['https://example.com/']);
});

test('a few emoji alone may stand large', () => {
  expect(['🎉', '👏👏👏', '👩‍👩‍👧 👍🏽', '❤️'].map(isOnlyEmoji)).toEqual([true, true, true, true]);
  expect(['hi 🎉', '', '7', '👏👏👏👏👏👏👏'].map(isOnlyEmoji)).toEqual([false, false, false, false]);
});
