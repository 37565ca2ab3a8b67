/** Why somebody did not get it, in plain words. */
import { expect, test } from 'vitest';
import type { Delivery } from '../../client';
import { storyOf, verdictOf } from './story';

const base: Delivery = {
  message: { conversation: 7, seq: 3, author: 1, position: 41, committed_at: '2026-01-01T10:00:00.000Z', node: 'a1' },
  user: { id: 2, name: 'ben', disabled: false },
  member: true,
  streams: [],
  read_at: null,
  outcome: 'no_stream',
  why: '',
  now: null,
};
const stream = { session: 5, node: 'a2', opened_at: '2026-01-01T10:05:00.000Z', closed_at: null, reason: null };
const texts = (delivery: Delivery) => storyOf(delivery, 'Ben').map((step) => step.text);

test('nobody was there', () => {
  expect(texts(base)).toEqual(['Written and on disk', 'No device of Ben has been connected since']);
  expect(verdictOf(base, 'Ben')).toContain('no device has been connected');
});

test('it came after a reconnect and was read', () => {
  const replayed = { ...stream, replayed: true, handed_at: '2026-01-01T10:05:00.000Z' };
  const read: Delivery = { ...base, streams: [replayed], outcome: 'read', read_at: '2026-01-01T10:06:00.000Z' };
  expect(texts(read)).toEqual(['Written and on disk', 'A device connected', 'Caught up on it after reconnecting', 'Read by Ben']);
});

test('a stream that was cut tells why', () => {
  const cut = { ...stream, opened_at: '2026-01-01T09:00:00.000Z', closed_at: '2026-01-01T10:00:01.000Z', reason: 'slow', replayed: false, handed_at: null };
  expect(texts({ ...base, streams: [cut], outcome: 'not_handed' })).toEqual([
    'A device connected',
    'Written and on disk',
    'The device was disconnected: it read too slowly',
    'No device that was connected got as far as this message',
  ]);
});

test('who was not in it is told so', () => {
  const outside: Delivery = { ...base, member: false, outcome: 'not_member', why: 'The user joined after it was posted.' };
  expect(texts(outside).at(-1)).toBe('Ben was not a member when it was written');
  expect(verdictOf(outside, 'Ben')).toBe('Ben does not get it. The user joined after it was posted.');
});
