/** The steps of a delivery, and why a user did not receive a message. */
import { expect, test } from 'vitest';
import type { Delivery } from '../../client';
import { deliverySteps, verdictOf } from './story';

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
const texts = (delivery: Delivery) => deliverySteps(delivery, 'Ben').map((step) => step.text);

test('no device was connected', () => {
  expect(texts(base)).toEqual(['Written to disk', 'No device of Ben has connected since']);
  expect(verdictOf(base, 'Ben')).toContain('no device has connected');
});

test('a message received after a reconnect and read', () => {
  const replayed = { ...stream, replayed: true, handed_at: '2026-01-01T10:05:00.000Z' };
  const read: Delivery = { ...base, streams: [replayed], outcome: 'read', read_at: '2026-01-01T10:06:00.000Z' };
  expect(texts(read)).toEqual(['Written to disk', 'A device connected', 'Sent to the device when it reconnected', 'Read by Ben']);
});

test('a closed stream has a reason', () => {
  const cut = { ...stream, opened_at: '2026-01-01T09:00:00.000Z', closed_at: '2026-01-01T10:00:01.000Z', reason: 'slow', replayed: false, handed_at: null };
  expect(texts({ ...base, streams: [cut], outcome: 'not_handed' })).toEqual([
    'A device connected',
    'Written to disk',
    'The device was disconnected: it read too slowly',
    'No connected device received this message',
  ]);
});

test('a stream that the device closed has no reason', () => {
  const closed = { ...stream, closed_at: '2026-01-01T10:06:00.000Z', replayed: false, handed_at: null };
  expect(texts({ ...base, streams: [closed], outcome: 'not_handed' })).toContain('The device disconnected');
});

test('a user who was not a member', () => {
  const outside: Delivery = { ...base, member: false, outcome: 'not_member', why: 'The user joined after it was posted.' };
  expect(texts(outside).at(-1)).toBe('Ben was not a member when it was sent');
  expect(verdictOf(outside, 'Ben')).toBe('Ben does not receive it. The user joined after it was posted.');
});
