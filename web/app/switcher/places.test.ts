/** Where the switcher leads. */
import { expect, test } from 'vitest';
import type { Conversation, User } from '../../client';
import { placesFor } from './places';

const conversation = (id: number, name: string, change: Partial<Conversation> = {}): Conversation => ({
  id,
  kind: 'channel',
  name,
  last_seq: 1,
  read_seq: 1,
  unread: 0,
  ...change,
});
const user = (id: number, name: string): User => ({ id, name, display_name: name });
const known = {
  conversations: [conversation(1, 'kitchen'), conversation(2, 'garden', { unread: 2 }), conversation(3, 'Ben', { kind: 'direct', members: [1, 2] })],
  titleOf: (one: Conversation) => one.name ?? '',
  users: [user(1, 'ana'), user(2, 'ben'), user(3, 'kim')],
  channels: [{ id: 1, name: 'kitchen' }, { id: 9, name: 'kiosk' }],
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
