/** Filters typed into the search field. */
import { expect, test, vi } from 'vitest';
import { asTyped, daysFor, namesDays, namesFor, replace, wordAt } from './filters';

test('the word at the caret is a filter, or begins as one does', () => {
  expect(wordAt('red from:an tomato', 11)).toEqual({ name: 'from', typed: 'an', start: 4, end: 11 });
  expect(wordAt('red ', 4)).toEqual({ name: null, typed: '', start: 4, end: 4 });
  expect(namesFor(wordAt('fr', 2)).map((one) => one.text)).toEqual(['from:']);
  expect(namesFor(wordAt('has:l', 5)).map((one) => one.insert)).toEqual(['has:link']);
  expect(namesFor(wordAt('', 0))).toEqual([]);
});

test('named days become dates', () => {
  const days = daysFor(wordAt('before:y', 8), new Date('2026-03-02T12:00:00Z'));
  expect(days).toEqual([{ text: 'Yesterday', hint: '2026-03-01', insert: 'before:2026-03-01' }]);
});

test('a chosen option replaces the typed word', () => {
  const word = wordAt('red from:an tomato', 11);
  expect(replace('red from:an tomato', word, { text: '', hint: '', insert: 'from:ana' })).toEqual({ text: 'red from:ana tomato', caret: 13 });
  expect(replace('fr', wordAt('fr', 2), { text: '', hint: '', insert: 'from:', open: true })).toEqual({ text: 'from:', caret: 5 });
  expect(replace('in:kit red', wordAt('in:kit red', 6), { text: '', hint: '', insert: '' })).toEqual({ text: 'red', caret: 0 });
});

test('days are those of the time zone of the browser', () => {
  vi.stubEnv('TZ', 'America/New_York');
  const evening = new Date('2026-03-02T02:00:00Z');
  expect(daysFor(wordAt('on:t', 4), evening)).toEqual([{ text: 'Today', hint: '2026-03-01', insert: 'on:2026-03-01' }]);
  vi.unstubAllEnvs();
  expect([namesDays('soup on:2026-03-01'), namesDays('AFTER:2026-03-01'), namesDays('soon:2026')]).toEqual([true, true, false]);
});

test('a number is searched by its first digits while the user types', () => {
  expect(asTyped('red t-12')).toBe('red t-12*');
  expect(asTyped('red 123')).toBe('red 123*');
  expect(asTyped('red 12')).toBe('red 12');
  expect(asTyped('red 12-')).toBe('red 12-');
  expect(asTyped('red toma')).toBe('red toma');
  expect(asTyped('red 123 ')).toBe('red 123');
  expect(asTyped('"red 123')).toBe('"red 123');
  expect(asTyped('“red 123')).toBe('“red 123');
  expect(asTyped('from:ana')).toBe('from:ana');
});

test('a filter without a value yet is not searched as a word', () => {
  expect([asTyped('has:'), asTyped('red from: '), asTyped('red IN:'), asTyped('xin:')]).toEqual(['', 'red', 'red', 'xin:']);
});
