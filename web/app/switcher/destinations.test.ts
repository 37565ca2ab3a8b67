/** The destinations that the switcher offers. */
import { expect, test } from 'vitest';
import type { Conversation } from '../../client';
import { makeChannel, makeUser } from '../../client/testing/fixtures';
import { destinationsFor } from './destinations';

const conversation = (id: number, name: string, change: Partial<Conversation> = {}): Conversation =>
  makeChannel({ id, name, last_seq: 1, read_seq: 1, ...change });
const public_ = (id: number, name: string) => ({ id, name, topic: '', members: 3, role: null });
const known = {
  conversations: [conversation(1, 'kitchen'), conversation(2, 'garden', { unread: 2 }), conversation(3, 'Ben', { kind: 'direct', members: [1, 2] })],
  titleOf: (one: Conversation) => one.name,
  users: [makeUser(1, 'ana'), makeUser(2, 'ben'), makeUser(3, 'kim')],
  channels: [public_(1, 'kitchen'), public_(9, 'kiosk')],
  me: 1,
};
const titles = (typed: string) => destinationsFor(typed, known).map((one) => `${one.kind} ${one.title}`);

test('unread conversations come first until something is typed', () => {
  expect(titles('')).toEqual(['conversation garden', 'conversation kitchen', 'conversation Ben']);
});

test('offers users without a conversation, channels to join and a message search', () => {
  expect(titles('ki')).toEqual(['conversation kitchen', 'user kim', 'channel kiosk', 'search ki']);
  expect(titles('ben')).toEqual(['conversation Ben', 'search ben']);
});
