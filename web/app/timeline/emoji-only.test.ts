/** Texts that are shown large. */
import { expect, test } from 'vitest';
import { isOnlyEmoji } from './emoji-only';

test('a few emoji and nothing else', () => {
  expect(['🥨', '👩‍👩‍👧 🇩🇪', '👍🏿👍🏿'].map(isOnlyEmoji)).toEqual([true, true, true]);
  expect(['ok 🥨', '1', '', '🥨🥨🥨🥨🥨🥨🥨'].map(isOnlyEmoji)).toEqual([false, false, false, false]);
});
