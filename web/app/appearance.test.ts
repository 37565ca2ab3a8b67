/** The same names look alike in the browser and on the server: both pass `tests/cases/appearance.json`. */
import { expect, test } from 'vitest';
import { alike, different } from '../../tests/cases/appearance.json';
import { limitMarks, lookKey } from './appearance';

test.each(alike)('%s looks like %s', (one = '', other = '') => {
  expect(lookKey(one)).toBe(lookKey(other));
});

test.each(different)('%s does not look like %s', (one = '', other = '') => {
  expect(lookKey(one)).not.toBe(lookKey(other));
});

test('a letter keeps as many marks as languages need', () => {
  const stacked = (count: number) => `Z${'\u0301'.repeat(count)} a\u0301 e`;
  expect([limitMarks(stacked(300), 'text'), limitMarks(stacked(300), 'name')]).toEqual([stacked(10), stacked(4)]);
});
