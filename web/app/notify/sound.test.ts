/** Quiet hours of the sound, and calls by keywords. */
import { expect, test } from 'vitest';
import { makeChannel, makeUser } from '../../client/testing/fixtures';
import { interrupts } from './notification-rules';
import { isQuietNow } from './quiet-hours';

const at = (hour: number, minute = 0) => new Date(2026, 5, 1, hour, minute);

test('quiet hours may span midnight', () => {
  const night = { from: '22:00', to: '07:00' };
  expect([21, 22, 23, 0, 6].map((hour) => isQuietNow(night, at(hour)))).toEqual([false, true, true, true, true]);
  expect(isQuietNow(night, at(7))).toBe(false);
  expect(isQuietNow({ from: '12:00', to: '13:30' }, at(13, 29))).toBe(true);
  expect(isQuietNow({ from: '12:00', to: '13:30' }, at(13, 30))).toBe(false);
  expect(isQuietNow(null, at(0))).toBe(false);
});

test('a message with a keyword interrupts, unless the channel is muted', () => {
  const view = { me: makeUser(1, 'ana', 'Ana'), blocked: new Set<number>() };
  const message = { conversation: 7, seq: 9, author: 2, body: 'soup', client_id: 'c', created_at: '' };
  const now = Date.parse('2026-06-01T12:00:00Z');
  const channel = makeChannel({ last_seq: 9, read_seq: 4, unread: 5 });
  expect(interrupts(message, channel, view, now)).toBe(false);
  expect(interrupts(message, channel, view, now, true)).toBe(true);
  expect(interrupts(message, { ...channel, level: 'nothing' }, view, now, true)).toBe(false);
  expect(interrupts(message, { ...channel, read_seq: 9 }, view, now, true)).toBe(false);
});
