/** Where the switcher leads. */
import { expect, test } from 'vitest';
import type { Conversation } from '../../client';
import { makeChannel, makeUser } from '../../client/testing/fixtures';
import { placesFor } from './places';

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
const titles = (typed: string) => placesFor(typed, known).map((one) => `${one.kind} ${one.title}`);

test('what is unread stands first until something is typed', () => {
  expect(titles('')).toEqual(['conversation garden', 'conversation kitchen', 'conversation Ben']);
});

test('people without a conversation, channels to join, and a search of messages', () => {
  expect(titles('ki')).toEqual(['conversation kitchen', 'person kim', 'channel kiosk', 'search ki']);
  expect(titles('ben')).toEqual(['conversation Ben', 'search ben']);
});
