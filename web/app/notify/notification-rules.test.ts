/** What is told of, and what is not. */
import { expect, test } from 'vitest';
import type { Conversation, Message } from '../../client';
import { makeChannel, makeUser } from '../../client/testing/fixtures';
import { interrupts, isQuiet, loudOf } from './notification-rules';

const [ana, ben, chloe] = [1, 2, 3];
const now = Date.parse('2026-06-01T12:00:00Z');
const view = { me: makeUser(ana, 'ana', 'Ana'), blocked: new Set([chloe]) };

const conversation = (change: Partial<Conversation> = {}): Conversation =>
  makeChannel({ last_seq: 9, read_seq: 4, unread: 5, mentions: 2, ...change });

const message = (change: Partial<Message> = {}): Message => ({
  conversation: 7,
  seq: 9,
  author: ben,
  body: '',
  client_id: 'c',
  created_at: '',
  ...change,
});

const told = (what: Partial<Message>, where: Partial<Conversation> = {}) =>
  interrupts(message(what), conversation(where), view, now);

test('a level and a mute decide what counts', () => {
  const later = '2026-06-01T13:00:00Z';
  expect(loudOf(conversation(), now)).toBe(5);
  expect(loudOf(conversation({ level: 'mentions' }), now)).toBe(2);
  expect(loudOf(conversation({ level: 'nothing' }), now)).toBe(0);
  expect(isQuiet(conversation({ muted_until: later }), now)).toBe(true);
  expect(isQuiet(conversation({ muted_until: '2026-06-01T11:00:00Z' }), now)).toBe(false);
});

test('mentions and direct messages interrupt, nothing else does', () => {
  expect(told({ mentions: [ana] })).toBe(true);
  expect(told({ mentions_all: 'here' })).toBe(true);
  expect(told({})).toBe(false);
  expect(told({}, { kind: 'direct' })).toBe(true);
  expect(told({}, { kind: 'direct', level: 'mentions' })).toBe(false);
});

test('not what I wrote, have read, muted or from whom I blocked', () => {
  expect(told({ author: ana }, { kind: 'direct' })).toBe(false);
  expect(told({ mentions: [ana], author: chloe })).toBe(false);
  expect(told({ mentions: [ana], seq: 4 })).toBe(false);
  expect(told({ mentions: [ana] }, { muted_until: '2026-06-01T13:00:00Z' })).toBe(false);
  expect(told({ mentions: [ana] }, { level: 'nothing' })).toBe(false);
});
