/** Texts that are shown large. */
import { expect, test } from 'vitest';
import { isOnlyEmoji } from './emoji-only';

test('a few emoji and nothing else', () => {
  expect(['🥨', '👩‍👩‍👧 🇩🇪', '👍🏿👍🏿'].map((text) => isOnlyEmoji(text))).toEqual([true, true, true]);
  expect(isOnlyEmoji(':party: 🥨', (sign) => sign === ':party:')).toBe(true);
  expect(isOnlyEmoji(':party: :other:', (sign) => sign === ':party:')).toBe(false);
  expect(['ok 🥨', ':party:', '1', '', '🥨🥨🥨🥨🥨🥨🥨'].map((text) => isOnlyEmoji(text))).toEqual([false, false, false, false, false]);
});
