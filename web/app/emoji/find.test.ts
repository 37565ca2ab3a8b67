/** Finding emoji by name. */
import data from 'emoji-picker-element-data/en/emojibase/data.json';
import { expect, test } from 'vitest';
import { type Emoji, spell } from './data';
import { customNames, findCustom, findEmoji, nameOfFile, splitSigns } from './find';

const all: Emoji[] = data.map((one) => ({
  emoji: spell(one.emoji),
  name: one.annotation,
  codes: one.shortcodes ?? [],
  words: one.tags ?? [],
  group: one.group,
  tones: {},
}));
const first = (typed: string) => findEmoji(all, typed, 1)[0]?.emoji;

test('short names are found, whole ones first', () => {
  expect([first('thumbsup'), first('tada'), first('heart'), first('+1')]).toEqual(['👍', '🎉', '❤️', '👍']);
  expect(findEmoji(all, 'thumb', 5).map((one) => one.emoji)).toContain('👍');
});

test('several words narrow the search, and nonsense finds nothing', () => {
  expect(first('red heart')).toBe('❤️');
  expect(first('flag germany')).toBe('🇩🇪');
  expect(first('xqzzt')).toBeUndefined();
});

test('an emoji has one spelling; unknown emoji have none', () => {
  expect([spell('👍\ufe0f'), spell('❤\ufe0f'), spell('x'), spell('👍🏽')]).toEqual(['👍', '❤️', '', '👍🏽']);
  expect(all.filter((one) => one.emoji).length).toBeGreaterThan(1_700);
});

test('custom emoji are found by any part of the name, beginnings first', () => {
  const some = ['conga-parrot', 'parrot-2', 'shipit'].map((name) => ({ name }));
  const found = (typed: string, most = 9) => findCustom(some, typed, most).map(({ name }) => name);
  expect(found('Parrot')).toEqual(['parrot-2', 'conga-parrot']);
  expect(found(':conga parrot:')).toEqual(['conga-parrot']);
  expect([found('x'), found('', 2)]).toEqual([[], ['conga-parrot', 'parrot-2']]);
});

test('the names between colons of a text, and the name for a file', () => {
  expect(customNames('a :b1::c_2: 10:30:45 :Not: :d :e-3:')).toEqual(['b1', 'c_2', '30', 'e-3']);
  expect([nameOfFile('Party Parrot (1).gif'), nameOfFile('x'.repeat(90))]).toEqual(['party-parrot-1-', 'x'.repeat(32)]);
});

test('a text is split at what may be a custom emoji, and nothing of it is lost', () => {
  expect(splitSigns('at 10:30 :party: a::b:x: :no way:')).toEqual(['at 10:30 ', ':party:', ' a::b:x: :no way:']);
  expect(splitSigns('plain')).toEqual(['plain']);
});
