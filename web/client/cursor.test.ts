/** Cursors: ahead, already passed, or of another log. */
import { expect, test } from 'vitest';
import { delay } from './backoff';
import { parseCursor, compareCursors } from './cursor';

test('a cursor is an epoch and a position', () => {
  expect(parseCursor('k3v9.1041')).toEqual({ epoch: 'k3v9', position: 1041 });
  expect(parseCursor('a.b.7')).toEqual({ epoch: 'a.b', position: 7 });
});

test.each([null, undefined, '', 'k3v9', 'k3v9.', '.7', 'k.-1', 'k.1.5x', 'k.9999999999999999'])(
  '%s is not a cursor',
  (text) => {
    expect(parseCursor(text)).toBeNull();
  },
);

test('only a later position in the same log is next', () => {
  expect(compareCursors('e.5', 'e.6')).toBe('next');
  expect(compareCursors('e.5', 'e.900')).toBe('next');
  expect(compareCursors(null, 'e.6')).toBe('next');
  expect(compareCursors('e.5', 'e.5')).toBe('old');
  expect(compareCursors('e.10', 'e.9')).toBe('old');
  expect(compareCursors('e.5', 'f.6')).toBe('foreign');
  expect(compareCursors('e.5', 'garbage')).toBe('foreign');
});

test('delays grow to a limit, are random over their whole span, and are never shorter than Retry-After', () => {
  const backoff = { first: 1000, most: 30_000 };
  expect([0, 1, 2, 9].map((failures) => delay(failures, backoff, 0.5))).toEqual([500, 1000, 2000, 15_000]);
  expect(delay(3, backoff, 0)).toBe(0);
  expect(delay(0, backoff, 0.5, 7)).toBe(7500);
});
