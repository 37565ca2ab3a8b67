/** The end of a mute, in words. */
import { expect, test } from 'vitest';
import { mutedUntil, mutes } from './mutes';

const now = new Date(2026, 2, 4, 15, 20);

test('a mute ends after an hour, or at eight in the morning', () => {
  const ends = mutes().slice(0, 3).map(({ until }) => until(now));
  expect(ends).toEqual(
    [new Date(2026, 2, 4, 16, 20), new Date(2026, 2, 5, 8), new Date(2026, 2, 11, 8)].map((date) => date.toISOString()),
  );
});

test('a mute without an end is not shown as a date in the next century', () => {
  const [hour, , , forever] = mutes().map(({ until }) => mutedUntil(until(now), now.getTime()));
  expect(hour).toContain('2026');
  expect(forever).toBe('Muted until you unmute it');
});
