/** Rows of a timeline: days, groups, the unread line, replies and unsent messages. */
import { expect, test } from 'vitest';
import type { Message, Outgoing } from '../../client';
import { rowsOf } from './rows';

const [ana, ben] = [1, 2];
const at = (day: number, hour: number, minute = 0) => new Date(2026, 4, day, hour, minute).toISOString();

const said = (seq: number, author: number, created_at: string): Message => ({
  conversation: 1,
  seq,
  author,
  body: '',
  client_id: `c${seq}`,
  created_at,
});

const shape = (messages: Message[], unreadAfter: number | null = null, outgoing: Outgoing[] = []) =>
  rowsOf(messages, outgoing, unreadAfter, ana).map((row) =>
    'head' in row ? `${row.kind}${row.head ? '!' : ''}` : row.kind,
  );

test('messages of one author within five minutes are one group', () => {
  expect(
    shape([
      said(1, ben, at(1, 9, 0)),
      said(2, ben, at(1, 9, 4)),
      said(3, ben, at(1, 9, 20)),
      said(4, ana, at(1, 9, 21)),
    ]),
  ).toEqual(['day', 'message!', 'message', 'message!', 'message!']);
});

test('a new day begins with its name', () => {
  expect(shape([said(1, ben, at(1, 23, 59)), said(2, ben, at(2, 0, 1))])).toEqual([
    'day',
    'message!',
    'day',
    'message!',
  ]);
});

test('the unread line stands before the first unread of others, and starts a group', () => {
  const messages = [
    said(1, ben, at(1, 9, 0)),
    said(2, ana, at(1, 9, 1)),
    said(3, ben, at(1, 9, 2)),
    said(4, ben, at(1, 9, 3)),
  ];
  expect(shape(messages, 1)).toEqual(['day', 'message!', 'message!', 'unread', 'message!', 'message']);
  expect(shape(messages.slice(2), 1)).toEqual(['day', 'message!', 'message']);
  expect(shape(messages, 4)).toEqual(['day', 'message!', 'message!', 'message!', 'message']);
});

test('an unsent message stands last, under the same key as after it was sent', () => {
  const outgoing: Outgoing = {
    clientId: 'c2',
    conversation: 1,
    body: '',
    createdAt: at(1, 9, 1),
    state: 'sending',
  };
  const before = rowsOf([said(1, ana, at(1, 9, 0))], [outgoing], null, ana);
  const after = rowsOf([said(1, ana, at(1, 9, 0)), said(2, ana, at(1, 9, 1))], [], null, ana);
  expect(before.map((row) => row.key)).toEqual(after.map((row) => row.key));
});

test('replies near the first message of their thread have no row, unless they are unread', () => {
  const reply = (seq: number, thread: number) => ({ ...said(seq, ben, at(1, 9)), thread });
  const many = Array.from({ length: 10 }, (_, n) => said(n + 3, ben, at(1, 9)));
  const talk = [said(1, ben, at(1, 9)), reply(2, 1), ...many, reply(13, 1), reply(14, 3)];
  const kinds = shape(talk);
  expect(kinds.slice(0, 3)).toEqual(['day', 'message!', 'message']);
  expect(kinds.slice(-2)).toEqual(['replies', 'replies']);
  expect(shape(talk.slice(0, 2), 1)).toEqual(['day', 'message!', 'unread', 'replies']);
});

test('replies are summarized in one row, and shown in their thread', () => {
  const reply = (seq: number, thread: number) => ({ ...said(seq, ben, at(1, 9, seq)), thread });
  const talk = [said(1, ben, at(1, 9)), reply(2, 7), reply(3, 7), reply(4, 9), said(5, ben, at(1, 9, 5))];
  expect(shape(talk)).toEqual(['day', 'message!', 'replies', 'replies', 'message!']);
  const first = rowsOf(talk, [], null, ana)[2];
  expect(first).toMatchObject({ root: 7, messages: [{ seq: 2 }, { seq: 3 }] });
  expect(rowsOf(talk, [], null, ana)[2]).toBe(first);
  expect(rowsOf([reply(2, 1), reply(3, 1)], [], null, ana, true).map((row) => row.kind)).toEqual([
    'day',
    'message',
    'message',
  ]);
});
