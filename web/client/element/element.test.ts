/** The pure parts of `<tandem-chat>`: tokens as a client sees them, and links in texts. */
import { expect, test } from 'vitest';
import { claimsOf, renewalDelay } from './token';
import { piecesOf } from './text';
import { wordsIn } from './words';

const encoded = (claims: unknown) => Buffer.from(JSON.stringify(claims)).toString('base64url');
const token = (claims: unknown) => `head.${encoded(claims)}.seal`;

test('a token says whose it is and when it expires', () => {
  expect(claimsOf(token({ sub: 'jürgen', iss: 'https://shop.example', exp: 1_700_000_000 }))).toEqual({
    subject: 'https://shop.example jürgen',
    expiresAt: 1_700_000_000_000,
  });
  expect(claimsOf(token({ sub: 'sam' })).subject).not.toBe(claimsOf(token({ sub: 'sam', iss: 'b' })).subject);
});

test('a text that is no such token never expires and belongs to nobody else', () => {
  const nothing = { subject: undefined, expiresAt: Infinity };
  for (const text of ['', 'secret', 'a.b.c', 'a..c', `a.${encoded(7)}.c`, `a.${encoded(null)}.c`, token({ sub: 7, exp: 'soon' })])
    expect(claimsOf(text)).toEqual(nothing);
});

test('a token is renewed a minute before it expires, or a fifth of its life', () => {
  expect(renewalDelay(3_600_000, 0)).toBe(3_540_000);
  expect(renewalDelay(100_000, 0)).toBe(80_000);
  expect(renewalDelay(100_000, 500_000)).toBe(1_000);
  expect(renewalDelay(1e300, 0)).toBe(2 ** 31 - 1);
});

test.each([
  ['no link', ['no link']],
  ['', []],
  ['see https://a.example/b?c=1#d.', ['see ', 'https://a.example/b?c=1#d', '.']],
  ['(http://a.example)', ['(', 'http://a.example', ')']],
  ['https://a.example https://b.example', ['https://a.example', ' ', 'https://b.example']],
  ['javascript:alert(1) data:text/html,x', ['javascript:alert(1) data:text/html,x']],
  ['https://user:secret@a.example', ['https://user:secret@a.example']],
  ['https://', ['https://']],
  ['https://раураl.example', ['https://xn--l-7sba6dbr.example/']],
])('the links of %j', (body, texts) => {
  expect(piecesOf(body).map((piece) => (typeof piece === 'string' ? piece : piece.text))).toEqual(texts);
});

test('a link leads where its text says', () => {
  expect(piecesOf('https://a.example/<b>')).toEqual([{ text: 'https://a.example/', href: 'https://a.example/' }, '<b>']);
});

test('texts follow the language, or are English', () => {
  expect(wordsIn('de-AT').send).toBe('Senden');
  for (const language of ['en', 'xx', '', 'constructor']) expect(wordsIn(language).send).toBe('Send');
});
