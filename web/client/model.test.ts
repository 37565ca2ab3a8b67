/** The model: a snapshot plus entries equals a fresh snapshot, and repeating a step does no harm. */
import { expect, test } from 'vitest';
import { apply, missing } from './apply';
import { defaultSidebar } from './sidebar';
import { makeChannel, makeUser } from './testing/fixtures';
import { randomFrom } from './testing/seeded-random';
import type { Entry } from './entry';
import {
  emptyModel,
  markRead,
  type Model,
  takeConversation,
  takeMembers,
  takePage,
  takeSnapshot,
  trimOldest,
} from './model';
import type { Conversation, Message, Role } from './types';

const [ana, ben] = [1, 2];
const me = makeUser(ana, 'ana', 'Ana');

const message = (seq: number, author: number, body = `${seq}`): Message => ({
  conversation: 7,
  seq,
  author,
  body,
  client_id: `c${seq}`,
  created_at: '2026-01-01T00:00:00.000Z',
});

const said = (seq: number, author: number, extra: Partial<Message> = {}): Entry => ({
  event: 'message',
  id: `e.${seq}`,
  data: { ...message(seq, author), ...extra },
});

const page = (from: number, to: number, before = from > 1, after = false) => ({
  messages: Array.from({ length: to - from + 1 }, (_, n) => message(from + n, ben)),
  has_before: before,
  has_after: after,
});

const starting = (conversation = makeChannel()): Model =>
  takeSnapshot(emptyModel(me), { conversations: [conversation], blocked: [], invitations: [], sidebar: defaultSidebar, saved: [], cursor: 'e.0' });
const play = (model: Model, ...entries: Entry[]) => entries.reduce(apply, model);
const seqs = (model: Model) => model.timelines.get(7)?.messages.map((one) => one.seq);
const one = (model: Model) => model.conversations.get(7);

test('messages of others count as unread, and my own message marks everything as read', () => {
  const received = play(starting(), said(1, ben), said(2, ben, { mentions: [ana] }));
  expect(one(received)).toMatchObject({ last_seq: 2, read_seq: 0, unread: 2, mentions: 1 });
  expect(one(play(received, said(3, ana)))).toMatchObject({ last_seq: 3, read_seq: 3, unread: 0, mentions: 0 });
});

test('a repeated message changes nothing', () => {
  const once = play(takePage(starting(), 7, page(1, 0)), said(1, ben));
  expect(play(once, said(1, ben))).toEqual(once);
});

test('imported messages leave a hole after the timeline', () => {
  const shown = takePage(starting(makeChannel({ last_seq: 3 })), 7, page(1, 3));
  const end = { id: 7, last_seq: 900, read_seq: 900, unread: 0, mentions: 0 };
  const changed = play(shown, { event: 'conversation', id: 'e.9', data: { ...makeChannel(), ...end } });
  expect(one(changed)).toMatchObject(end);
  expect(changed.timelines.get(7)?.hasAfter).toBe(true);
  const same = play(shown, { event: 'conversation', id: 'e.9', data: makeChannel({ last_seq: 3 }) });
  expect(same.timelines.get(7)?.hasAfter).toBe(false);
});

test('a read mark only moves forward', () => {
  const received = play(starting(), said(1, ben), said(2, ben), said(3, ben));
  const read = play(received, { event: 'read', id: 'e.4', data: { conversation: 7, seq: 2, unread: 1, mentions: 0 } });
  expect(one(read)).toMatchObject({ read_seq: 2, unread: 1 });
  expect(markRead(read, 7, 1)).toBe(read);
});

test('adjoining pages join the timeline; a page after a hole starts a new one', () => {
  const newest = takePage(starting(makeChannel({ last_seq: 100 })), 7, page(51, 100));
  const more = takePage(newest, 7, page(1, 50));
  expect([seqs(more)?.length, more.timelines.get(7)?.hasBefore]).toEqual([100, false]);
  const overlapping = takePage(newest, 7, page(90, 100));
  expect(seqs(overlapping)).toEqual(seqs(newest));
  expect(
    seqs(takePage(takePage(starting(makeChannel({ last_seq: 100 })), 7, page(1, 5)), 7, page(90, 100)))?.[0],
  ).toBe(90);
});

test('an older page that arrives late, behind a hole, is dropped', () => {
  const trimmed = takePage(starting(makeChannel({ last_seq: 100 })), 7, page(51, 100));
  expect(seqs(takePage(trimmed, 7, page(1, 20)))).toEqual(seqs(trimmed));
});

test('an entry that arrives while the newest page loads leaves a known hole', () => {
  const received = play(starting(makeChannel({ last_seq: 5 })), said(6, ben));
  expect(takePage(received, 7, page(1, 5)).timelines.get(7)?.hasAfter).toBe(true);
  expect(takePage(takePage(received, 7, page(1, 5)), 7, page(6, 6)).timelines.get(7)).toMatchObject({
    hasAfter: false,
  });
});

test('a timeline with a hole takes no later message', () => {
  const model = play(takePage(starting(makeChannel({ last_seq: 2 })), 7, page(1, 2)), said(4, ben));
  expect([seqs(model), model.timelines.get(7)?.hasAfter]).toEqual([[1, 2], true]);
});

test('edits and deletions reach the timeline and the last message', () => {
  const received = play(takePage(starting(), 7, page(1, 0)), said(1, ben));
  const edited = play(received, {
    event: 'edit',
    id: 'e.2',
    data: { ...message(1, ben, 'better'), edited_at: 'now' },
  });
  expect([edited.timelines.get(7)?.messages[0]?.body, one(edited)?.last_message?.body]).toEqual([
    'better',
    'better',
  ]);
  const gone = play(edited, { event: 'delete', id: 'e.3', data: { conversation: 7, seq: 1 } });
  expect(gone.timelines.get(7)?.messages[0]).toMatchObject({ body: '', deleted: true });
});

test('being added requests the conversation, being removed drops it', () => {
  const joined: Entry = { event: 'member', id: 'e.1', data: { conversation: 9, user: ana, role: 'member' } };
  expect(missing(starting(), joined)).toBe(9);
  expect(missing(starting(), { ...joined, data: { ...joined.data, user: ben } })).toBeNull();
  const removed = play(starting(), {
    event: 'member',
    id: 'e.2',
    data: { conversation: 7, user: ana, role: null },
  });
  expect(removed.conversations.size).toBe(0);
});

test('members of a small conversation are added and removed', () => {
  const model = starting(makeChannel({ kind: 'group', members: [ana] }));
  const joined = play(model, {
    event: 'member',
    id: 'e.1',
    data: { conversation: 7, user: ben, role: 'member' },
  });
  expect(one(joined)?.members).toEqual([ana, ben]);
  expect(
    one(play(joined, { event: 'member', id: 'e.2', data: { conversation: 7, user: ben, role: null } }))
      ?.members,
  ).toEqual([ana]);
});

test('roles are known once members were loaded, and entries change them', () => {
  const member = (user: number, role: Role | null): Entry => ({ event: 'member', id: 'e.1', data: { conversation: 7, user, role } });
  const read = takeMembers(starting(), 7, [{ user: ana, role: 'owner', joined_at: '' }, { user: ben, role: 'member', joined_at: '' }]);
  expect(play(read, member(ben, 'admin')).roles.get(7)?.get(ben)).toBe('admin');
  const left = play(read, member(ben, null));
  expect([left.roles.get(7)?.has(ben), one(left)?.members]).toEqual([false, [ana]]);
  expect(play(starting(), member(ben, 'admin')).roles.size).toBe(0);
});

test('an entry has slow mode and read-only only while they are on', () => {
  const entryOf = (change: Partial<Conversation>): Entry => ({ event: 'conversation', id: 'e.1', data: makeChannel(change) });
  const slowed = play(starting(), entryOf({ slow: 30, read_only: true }));
  expect(one(slowed)).toMatchObject({ slow: 30, read_only: true });
  expect(one(play(slowed, entryOf({})))).toMatchObject({ slow: 0, read_only: false });
  const archived = play(slowed, entryOf({ archived: true }));
  expect(archived.conversations.size).toBe(0);
  expect(missing(archived, entryOf({ archived: true }))).toBeNull();
  expect(missing(archived, entryOf({}))).toBe(7);
  const read = takeConversation(archived, makeChannel({ archived: true }));
  expect([one(read)?.archived, one(play(read, entryOf({})))?.archived]).toEqual([true, false]);
});

test('an answer older than the stream changes nothing', () => {
  const received = play(starting(), said(1, ben), said(2, ben));
  expect(takeConversation(received, makeChannel({ last_seq: 1, unread: 1 }))).toBe(received);
});

test('a trimmed timeline can be loaded again', () => {
  const model = trimOldest(takePage(starting(makeChannel({ last_seq: 40 })), 7, page(1, 40)), 7, 10);
  expect([seqs(model)?.[0], model.timelines.get(7)?.hasBefore]).toEqual([31, true]);
});

test('a snapshot plus entries equals a fresh snapshot, whatever happens', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = randomFrom(seed);
    const server = { last: 0, read: 0 };
    const entries: Entry[] = [];
    for (let step = 1; step <= 40; step++) {
      const author = random() < 0.3 ? ana : ben;
      if (random() < 0.8) {
        entries.push(said(++server.last, author));
        if (author === ana) server.read = server.last;
      } else if (server.last > server.read) {
        server.read += 1 + Math.floor(random() * (server.last - server.read));
        const left = { unread: server.last - server.read, mentions: 0 };
        entries.push({ event: 'read', id: `e.r${step}`, data: { conversation: 7, seq: server.read, ...left } });
      }
      const repeated = entries[Math.floor(random() * entries.length)];
      if (random() < 0.1 && repeated?.event === 'message') entries.push(repeated);
    }
    const expected = { last_seq: server.last, read_seq: server.read, unread: server.last - server.read };
    expect(one(play(starting(), ...entries)), `seed ${seed}`).toMatchObject(expected);
  }
});

const invitation = { conversation: 9, kind: 'channel' as const, name: 'plans', invited_by: ben, members: 3, at: '2026-01-01T00:00:00.000Z' };
const asked = (open: boolean): Entry => ({
  event: 'invitation',
  id: 'e.1',
  data: open ? { open, ...invitation } : { open, conversation: 9 },
});

test('an invitation stays until it is answered or its inviter is blocked', () => {
  const open = play(starting(), asked(true));
  expect(open.invitations.get(9)).toEqual(invitation);
  expect(play(open, asked(false)).invitations.size).toBe(0);
  expect(takeConversation(open, makeChannel({ id: 9 })).invitations.size).toBe(0);
  const blocked: Entry = { event: 'block', id: 'e.2', data: { user: ben, on: true, mentions: [] } };
  expect(play(open, blocked).invitations.size).toBe(0);
});
