/** Rules for unread counts and notifications. */
import { expect, test } from 'vitest';
import type { Conversation, Message } from '../../client';
import { makeChannel, makeUser } from '../../client/testing/fixtures';
import { interrupts, isQuiet, unreadToShow } from './notification-rules';

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

const doesInterrupt = (what: Partial<Message>, where: Partial<Conversation> = {}) =>
  interrupts(message(what), conversation(where), view, now);

test('the level and a mute decide what counts as unread', () => {
  const later = '2026-06-01T13:00:00Z';
  expect(unreadToShow(conversation(), now)).toBe(5);
  expect(unreadToShow(conversation({ level: 'mentions' }), now)).toBe(2);
  expect(unreadToShow(conversation({ level: 'nothing' }), now)).toBe(0);
  expect(isQuiet(conversation({ muted_until: later }), now)).toBe(true);
  expect(isQuiet(conversation({ muted_until: '2026-06-01T11:00:00Z' }), now)).toBe(false);
});

test('mentions and direct messages interrupt, nothing else does', () => {
  expect(doesInterrupt({ mentions: [ana] })).toBe(true);
  expect(doesInterrupt({ mentions_all: 'here' })).toBe(true);
  expect(doesInterrupt({})).toBe(false);
  expect(doesInterrupt({}, { kind: 'direct' })).toBe(true);
  expect(doesInterrupt({}, { kind: 'direct', level: 'mentions' })).toBe(false);
});

test('own, read and muted messages and those of blocked users do not interrupt', () => {
  expect(doesInterrupt({ author: ana }, { kind: 'direct' })).toBe(false);
  expect(doesInterrupt({ mentions: [ana], author: chloe })).toBe(false);
  expect(doesInterrupt({ mentions: [ana], seq: 4 })).toBe(false);
  expect(doesInterrupt({ mentions: [ana] }, { muted_until: '2026-06-01T13:00:00Z' })).toBe(false);
  expect(doesInterrupt({ mentions: [ana] }, { level: 'nothing' })).toBe(false);
});
