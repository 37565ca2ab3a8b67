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

test('what happened stands between the messages before and after it', () => {
  const joined = (after: number) => ({ after, key: `${after}`, kind: 'joined' as const, users: [ben] });
  const talk = [said(2, ben, at(1, 9)), said(3, ben, at(1, 9, 1))];
  const kinds = rowsOf(talk, [], null, ana, false, [joined(0), joined(2), joined(3)]).map((row) => row.kind);
  expect(kinds).toEqual(['day', 'message', 'happening', 'message', 'happening']);
  expect(rowsOf([], [], null, ana, false, [joined(0)]).map((row) => row.kind)).toEqual(['happening']);
});

test('replies whose thread stands just above say nothing twice', () => {
  const reply = (seq: number, author: number) => ({ ...said(seq, author, at(1, 9, seq)), thread: 1 });
  expect(shape([said(1, ben, at(1, 9)), reply(2, ben), reply(3, ana)])).toEqual(['day', 'message!']);
  const others = Array.from({ length: 8 }, (_, n) => said(n + 2, ben, at(1, 9, 1)));
  expect(shape([said(1, ben, at(1, 9)), ...others, reply(10, ben)]).at(-1)).toBe('replies');
  expect(shape([said(1, ben, at(1, 9)), reply(2, ben), reply(3, ana)], 1)).toEqual(['day', 'message!', 'unread', 'replies']);
});

test('replies are summarized in one row, and shown in their thread', () => {
  const reply = (seq: number, thread: number) => ({ ...said(seq, ben, at(1, 9, seq)), thread });
  const talk = [said(1, ben, at(1, 9)), reply(2, 1), reply(3, 1), reply(4, 9), said(5, ben, at(1, 9, 5))];
  expect(shape(talk, 1)).toEqual(['day', 'message!', 'unread', 'replies', 'replies', 'message!']);
  const first = rowsOf(talk, [], 1, ana)[3];
  expect(first).toMatchObject({ root: 1, messages: [{ seq: 2 }, { seq: 3 }] });
  expect(rowsOf(talk, [], 1, ana)[3]).toBe(first);
  expect(rowsOf([reply(2, 1), reply(3, 1)], [], null, ana, true).map((row) => row.kind)).toEqual([
    'day',
    'message',
    'message',
  ]);
});

test('a message that was taken back has no row, and does not part a group', () => {
  const taken = { ...said(2, ben, at(1, 9, 1)), deleted: true, type: 'undone' };
  expect(shape([said(1, ben, at(1, 9, 0)), taken, said(3, ben, at(1, 9, 2))])).toEqual(['day', 'message!', 'message']);
  expect(shape([said(1, ben, at(1, 9, 0)), { ...taken, type: 'other' }])).toEqual(['day', 'message!', 'message']);
});
