/** The durable stream against a real server that cuts, repeats, falls silent, refuses and forgets. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StreamState } from './entry-source';
import { eventually, Peer } from './testing/fake-server';
import { DurableStream } from './stream';

const timings = {
  readyWithin: 600, // a busy machine takes its time
  silence: 200,
  quiet: 20,
  poll: 5,
  probeAfter: 100,
  backoff: { first: 20, most: 100 },
};

let peer: Peer;
let stream: DurableStream;
let heard: string[];
let states: StreamState[];
let snapshots: string[];

beforeEach(async () => {
  peer = new Peer();
  await peer.listen();
  [heard, states, snapshots] = [[], [], []];
});

afterEach(async () => {
  stream.stop();
  await peer.kill();
});

function listens(cursor?: string): void {
  stream = new DurableStream({
    url: peer.url,
    timings,
    ...(cursor !== undefined && { cursor }),
    entry: (entry) => entry.event === 'message' && heard.push(entry.data.body),
    state: (state) => states.push(state),
    resnapshot: async (reason) => {
      snapshots.push(reason);
      return peer.cursor;
    },
  });
  stream.start();
}

const state = () => states.at(-1)?.name;
const live = () => eventually(() => state() === 'live');

test('what is said is heard, in order', async () => {
  listens(peer.cursor);
  await live();
  for (let n = 0; n < 50; n++) peer.says(`${n}`);
  await eventually(() => heard.length === 50);
  expect(heard).toEqual(Array.from({ length: 50 }, (_, n) => `${n}`));
  expect(states.map((one) => one.name)).toEqual(['connecting', 'behind', 'live']);
});

test('without a cursor it begins with a snapshot', async () => {
  peer.says('before');
  listens();
  await live();
  peer.says('after');
  await eventually(() => heard.length === 1);
  expect([snapshots, heard]).toEqual([['new'], ['after']]);
});

test('after a cut it resumes with its cursor and misses nothing', async () => {
  listens(peer.cursor);
  await live();
  peer.says('one');
  await eventually(() => heard.length === 1);
  const reached = peer.cursor;
  peer.cuts();
  peer.says('two');
  await eventually(() => heard.length === 2);
  expect(peer.requests.at(-1)?.cursor).toBe(reached);
  expect(heard).toEqual(['one', 'two']);
});

test('a server that dies and comes back is found again', async () => {
  listens(peer.cursor);
  await live();
  await peer.kill();
  await eventually(() => state() === 'offline');
  peer.says('while away');
  await peer.listen();
  await eventually(() => state() === 'live');
  expect(heard).toEqual(['while away']);
});

test('a repeated and a late entry are dropped', async () => {
  listens(peer.cursor);
  await live();
  for (const body of ['one', 'two', 'three']) peer.says(body);
  peer.repeats(2);
  peer.repeats(0);
  peer.says('four');
  await eventually(() => heard.includes('four'));
  expect(heard).toEqual(['one', 'two', 'three', 'four']);
});

test('a beat moves the cursor of a quiet stream', async () => {
  listens(peer.cursor);
  await live();
  peer.writes('id: e1.77\nevent: beat\ndata: 1\n\nevent: bye\ndata: {"reason":"age"}\n\n');
  await eventually(() => peer.requests.length === 2);
  expect(peer.requests[1]?.cursor).toBe('e1.77');
});

test('a reset reads the snapshot again and goes on from its cursor', async () => {
  for (const body of ['a', 'b', 'c']) peer.says(body);
  peer.floor = 100;
  listens('e1.1');
  await eventually(() => snapshots.length > 0);
  peer.floor = 0;
  await live();
  peer.says('d');
  await eventually(() => heard.length === 1);
  expect([snapshots[0], heard]).toEqual(['too_old', ['d']]);
});

test('entries of another log are not mixed in', async () => {
  listens(peer.cursor);
  await live();
  peer.epoch = 'e2';
  peer.says('from elsewhere');
  await eventually(() => snapshots.length === 1);
  await live();
  peer.says('here');
  await eventually(() => heard.length === 1);
  expect([snapshots, heard]).toEqual([['other_epoch'], ['here']]);
});

test('after a bye it comes back', async () => {
  listens(peer.cursor);
  await live();
  peer.writes('event: bye\ndata: {"reason":"drain"}\n\n');
  await eventually(() => peer.requests.length === 2);
  await live();
  expect(states.map((one) => one.name)).not.toContain('offline');
});

test('a login that ended stops it for good', async () => {
  peer.refusal = { status: 401 };
  listens(peer.cursor);
  await eventually(() => state() === 'refused');
  expect(peer.requests.length).toBe(1);
});

test('Retry-After is honoured', async () => {
  peer.refusal = { status: 503, headers: { 'Retry-After': '1' } };
  listens(peer.cursor);
  await eventually(() => state() === 'offline');
  peer.refusal = null;
  await live();
  expect((peer.requests[1]?.at ?? 0) - (peer.requests[0]?.at ?? 0)).toBeGreaterThanOrEqual(990);
});

test('wake tries at once', async () => {
  peer.refusal = { status: 503, headers: { 'Retry-After': '600' } };
  listens(peer.cursor);
  await eventually(() => state() === 'offline');
  peer.refusal = null;
  stream.wake();
  await live();
});

test('a network that buffers the stream is polled through, and left when it heals', async () => {
  peer.streams = 'buffer';
  listens(peer.cursor);
  await eventually(() => state() === 'polling');
  for (const body of ['one', 'two']) peer.says(body);
  await eventually(() => heard.length === 2);
  peer.streams = 'open';
  await live();
  peer.says('three');
  await eventually(() => heard.length === 3);
  expect(heard).toEqual(['one', 'two', 'three']);
});

test('a long absence is polled page by page, each page at once', async () => {
  const said = Array.from({ length: 95 }, (_, n) => `${n}`);
  for (const body of said) peer.says(body);
  [peer.streams, peer.page] = ['buffer', 10];
  listens('e1.0');
  await eventually(() => heard.length === 95);
  expect(heard).toEqual(said);
  const polls = peer.requests.filter((one) => one.path === 'poll').slice(0, 10);
  expect(new Set(polls.map((one) => one.cursor)).size).toBe(10);
});

test('a reset is heard by polling too', async () => {
  for (const body of ['a', 'b']) peer.says(body);
  [peer.streams, peer.floor] = ['buffer', 100];
  listens('e1.1');
  await eventually(() => snapshots.length > 0);
  peer.floor = 0;
  await eventually(() => state() === 'polling');
  peer.says('c');
  await eventually(() => heard.length === 1);
  expect([snapshots[0], heard]).toEqual(['too_old', ['c']]);
});

test('a stream that is open but mute is given up for polling', async () => {
  peer.streams = 'mute';
  listens(peer.cursor);
  await live();
  peer.says('unheard on the stream');
  await eventually(() => heard.length === 1);
  expect(state()).toBe('polling');
});

test('a stream that beats is believed', async () => {
  listens(peer.cursor);
  await live();
  for (let n = 0; n < 8; n++) {
    peer.beats();
    await new Promise((resolve) => setTimeout(resolve, 50)); // longer in all than the silence allowed
  }
  expect(peer.requests.length).toBe(1);
});

test('after stop nothing is heard', async () => {
  listens(peer.cursor);
  await live();
  stream.stop();
  peer.says('too late');
  await eventually(() => peer.open.size === 0);
  expect([heard, state()]).toEqual([[], 'stopped']);
});

test('a stream that a witness finds stalled is polled instead, and heals', async () => {
  listens(peer.cursor);
  await live();
  peer.streams = 'mute';
  peer.says('held back');
  stream.doubt();
  await eventually(() => state() === 'polling');
  await eventually(() => heard.length === 1);
  peer.streams = 'open';
  await live();
  peer.says('whole again');
  await eventually(() => heard.length === 2);
});
