/** Finding emoji by name. */
import data from 'emoji-picker-element-data/en/emojibase/data.json';
import { expect, test } from 'vitest';
import { type Emoji, spell } from './data';
import { findEmoji } from './find';

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
