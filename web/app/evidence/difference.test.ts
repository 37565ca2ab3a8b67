/** The difference between two versions of a text. */
import { expect, test } from 'vitest';
import { differences } from './difference';

const told = (old: string, fresh: string) =>
  differences(old, fresh)
    .map(({ text, change }) => ({ same: text, gone: `[-${text}]`, new: `[+${text}]` })[change])
    .join('');

test('removed and added words', () => {
  expect(told('Shall we cook?', 'Shall we bake?')).toBe('Shall we [-cook][+bake]?');
  expect(told('one two', 'one two three')).toBe('one two[+ three]');
  expect(told('same', 'same')).toBe('same');
  expect(told('all', '')).toBe('[-all]');
});

test('letters of scripts without spaces, and emoji, are whole', () => {
  expect(told('東京に行く', '東京へ行く')).toBe('東京[-に][+へ]行く');
  expect(told('hi 👩‍💻', 'hi 👩‍🍳')).toBe('hi [-👩‍💻][+👩‍🍳]');
});

test('very long texts are not compared', () => {
  const long = 'word '.repeat(1000);
  expect(differences(long, 'short').map((one) => one.change)).toEqual(['gone', 'new']);
});
