/** Random events in any order: an old snapshot plus the entries since then equals a new snapshot. */
import { expect, test } from 'vitest';
import { apply } from './apply';
import { makeUser } from './testing/fixtures';
import { randomFrom } from './testing/seeded-random';
import type { Entry } from './entry';
import { mentionsMe } from './message';
import type { Model } from './model';
import { SimulatedServer } from './testing/simulated-server';
import type { Level } from './types';

const [ana, ben, chloe] = [1, 2, 3];
const me = makeUser(ana, 'ana', 'Ana');

const play = (model: Model, entries: Entry[]) => entries.reduce(apply, model);

const uncounts = ({ event, data }: Entry) => event === 'delete' || event === 'finish' || (event === 'edit' && 'former_mentions' in data);

/** Return what the screen shows. Messages that were loaded separately and are not shown may differ. */
function shown(model: Model): object {
  const threads = [...model.threads].map(([place, { read_seq, unread }]) => [place, read_seq, unread]);
  const { conversations, timelines, pins, receipts, blocked } = model;
  const replies = [...model.replies].map(([place, timeline]) => [place, timeline.messages]);
  return { conversations, timelines, pins, receipts, blocked, threads: threads.sort(), replies };
}

/** Do one random thing that a user could do now. */
function doAnything(server: SimulatedServer, random: () => number): void {
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  const [who, on] = [pick([ana, ben, chloe]), random() < 0.6];
  const seq = 1 + Math.floor(random() * server.messages.length);
  const root = server.messages.filter((one) => !one.thread).slice(0, 3);
  const streaming = server.messages.filter((one) => one.streaming);
  const acts = [
    () => server.posts(who, random() < 0.3 ? { mentions: [who === ana ? ben : ana] } : {}),
    () => server.posts(who, root.length ? { thread: pick(root).seq } : {}),
    () => server.posts(who, server.messages.length ? { reply_to: seq } : {}),
    () => server.posts(who, { streaming: true, body: '' }),
    () => streaming.forEach((one) => server.appends(one.seq, pick(['soup ', '🥣', 'é\n', '\u0301', '']), Math.floor(random() * 4))),
    () => streaming.slice(0, 1).forEach((one) => server.finishes(one.seq, pick(['complete', 'cancelled', 'failed']), on ? ana : null)),
    () => server.edits(seq, `better ${random()}`, !on),
    () => server.deletes(seq),
    () => server.reacts(who, seq, pick(['👍', '❤️', '🥨']), on),
    () => server.pin(who, seq, on),
    () => server.previews(seq, on ? [`https://example.org/${seq}`] : []),
    () => server.follow(pick(root)?.seq ?? 0, on),
    () => server.readsThread(pick(root)?.seq ?? 0, seq),
    () => server.reads(who, seq),
    () => server.notifies(pick<Level>(['all', 'mentions', 'nothing']), on ? '2027-01-01T00:00:00.000Z' : null),
    () => server.blocks(chloe, on),
  ];
  pick(acts)();
}

test('an old snapshot plus entries equals a new snapshot, whatever happens', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomFrom(seed);
    const server = new SimulatedServer(me);
    for (let step = 0; step < 4; step++) server.posts(step % 2 ? ana : ben);
    const early = 20 + Math.floor(random() * 30);
    for (let step = 0; step < early; step++) doAnything(server, random);
    const [old, from] = [server.freshModel(), server.entries.length];
    for (let step = 0; step < 60; step++) doAnything(server, random);
    const received = play(old, server.entries.slice(from));
    expect(shown(received), `seed ${seed}`).toEqual(shown(server.freshModel()));
  }
}, 60_000);

test('entries that a page already contains change no message', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = randomFrom(seed);
    const server = new SimulatedServer(me);
    for (let step = 0; step < 40; step++) doAnything(server, random);
    const again = play(server.freshModel(), server.entries.slice(-1).filter((entry) => !uncounts(entry)));
    expect(shown(again), `seed ${seed}`).toEqual(shown(server.freshModel()));
  }
});

test('a reaction of more than a hundred users has a count', () => {
  const server = new SimulatedServer(me);
  server.posts(ben);
  const users = Array.from({ length: 100 }, (_, n) => n + 10);
  for (const user of users) server.reacts(user, 1, '👍', true);
  const data = { conversation: 7, seq: 1, emoji: '👍', user: ana, on: true, count: 101 };
  const liked = apply(server.freshModel(), { event: 'reaction', id: 'e.1', data });
  expect(liked.timelines.get(7)?.messages[0]?.reactions).toEqual([{ emoji: '👍', users, count: 101 }]);
  const { count: _, ...taken } = { ...data, user: 10, on: false, shown: ana };
  const left = apply(liked, { event: 'reaction', id: 'e.2', data: taken });
  const after = left.timelines.get(7)?.messages[0]?.reactions?.[0];
  expect([after?.users.length, after?.users.at(-1), after?.count]).toEqual([100, ana, undefined]);
});

test('messages of blocked users and my own messages never mention me', () => {
  const model = { me, blocked: new Set([chloe]) };
  expect(mentionsMe({ author: ben, mentions_all: 'channel' }, model)).toBe(true);
  expect(mentionsMe({ author: chloe, mentions_all: 'channel', mentions: [ana] }, model)).toBe(false);
  expect(mentionsMe({ author: ana, mentions_all: 'here' }, model)).toBe(false);
  expect(mentionsMe({ author: ben, mentions: [ana] }, model)).toBe(true);
});

test('a keyword changes the count, and a default changes the conversations without a level', () => {
  const server = new SimulatedServer(me);
  server.posts(ben);
  const model = server.freshModel();
  const id = [...model.conversations.keys()][0] ?? 0;
  const called = apply(model, { event: 'keyword', id: 'e.9', data: { conversation: id, seq: 1, mentions: 1 } });
  expect(called.conversations.get(id)?.mentions).toBe(1);
  const settings = { receipts: 'on' as const, team_notify: 'all' as const, keywords: [] };
  const quiet = apply(called, { event: 'settings', id: 'e.10', data: { ...settings, notify: 'nothing' } });
  expect(quiet.conversations.get(id)?.level).toBe('nothing');
  const chosen = { conversation: id, level: 'mentions', muted_until: null, own_level: true } as const;
  const own = apply(quiet, { event: 'notifications', id: 'e.11', data: chosen });
  const usual = apply(own, { event: 'settings', id: 'e.12', data: { ...settings, notify: null } });
  expect(usual.conversations.get(id)?.level).toBe('mentions');
});
