/** The durable stream against a real server that cuts, repeats, falls silent, answers with errors and resets. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StreamState } from './entry-source';
import { eventually, FakeServer } from './testing/fake-server';
import { DurableStream } from './stream';

const timings = {
  readyWithin: 600, // a busy machine needs time
  silence: 200,
  quiet: 20,
  poll: 5,
  probeAfter: 100,
  backoff: { first: 20, most: 100 },
};

let server: FakeServer;
let stream: DurableStream;
let received: string[];
let states: StreamState[];
let snapshots: string[];

beforeEach(async () => {
  server = new FakeServer();
  await server.listen();
  [received, states, snapshots] = [[], [], []];
});

afterEach(async () => {
  stream.stop();
  await server.kill();
});

function listens(cursor?: string): void {
  stream = new DurableStream({
    url: server.url,
    timings,
    ...(cursor !== undefined && { cursor }),
    onEntry: (entry) => entry.event === 'message' && received.push(entry.data.body),
    onState: (state) => states.push(state),
    loadSnapshot: async (reason) => {
      snapshots.push(reason);
      return server.cursor;
    },
  });
  stream.start();
}

const state = () => states.at(-1)?.name;
const live = () => eventually(() => state() === 'live');

test('messages arrive in order', async () => {
  listens(server.cursor);
  await live();
  for (let n = 0; n < 50; n++) server.says(`${n}`);
  await eventually(() => received.length === 50);
  expect(received).toEqual(Array.from({ length: 50 }, (_, n) => `${n}`));
  expect(states.map((one) => one.name)).toEqual(['connecting', 'behind', 'live']);
});

test('without a cursor, the stream starts with a snapshot', async () => {
  server.says('before');
  listens();
  await live();
  server.says('after');
  await eventually(() => received.length === 1);
  expect([snapshots, received]).toEqual([['new'], ['after']]);
});

test('after a cut connection, the stream resumes at its cursor without a gap', async () => {
  listens(server.cursor);
  await live();
  server.says('one');
  await eventually(() => received.length === 1);
  const reached = server.cursor;
  server.cuts();
  server.says('two');
  await eventually(() => received.length === 2);
  expect(server.requests.at(-1)?.cursor).toBe(reached);
  expect(received).toEqual(['one', 'two']);
});

test('the stream reconnects to a server that died and restarted', async () => {
  listens(server.cursor);
  await live();
  await server.kill();
  await eventually(() => state() === 'offline');
  server.says('while away');
  await server.listen();
  await eventually(() => state() === 'live');
  expect(received).toEqual(['while away']);
});

test('repeated and late entries are dropped', async () => {
  listens(server.cursor);
  await live();
  for (const body of ['one', 'two', 'three']) server.says(body);
  server.repeats(2);
  server.repeats(0);
  server.says('four');
  await eventually(() => received.includes('four'));
  expect(received).toEqual(['one', 'two', 'three', 'four']);
});

test('a beat moves the cursor of a quiet stream', async () => {
  listens(server.cursor);
  await live();
  server.writes('id: e1.77\nevent: beat\ndata: 1\n\nevent: bye\ndata: {"reason":"age"}\n\n');
  await eventually(() => server.requests.length === 2);
  expect(server.requests[1]?.cursor).toBe('e1.77');
});

test('a reset loads the snapshot again and continues from its cursor', async () => {
  for (const body of ['a', 'b', 'c']) server.says(body);
  server.floor = 100;
  listens('e1.1');
  await eventually(() => snapshots.length > 0);
  server.floor = 0;
  await live();
  server.says('d');
  await eventually(() => received.length === 1);
  expect([snapshots[0], received]).toEqual(['too_old', ['d']]);
});

test('entries of another log are not mixed in', async () => {
  listens(server.cursor);
  await live();
  server.epoch = 'e2';
  server.says('from elsewhere');
  await eventually(() => snapshots.length === 1);
  await live();
  server.says('here');
  await eventually(() => received.length === 1);
  expect([snapshots, received]).toEqual([['other_epoch'], ['here']]);
});

test('an epoch that continues the log resumes without a snapshot', async () => {
  listens(server.cursor);
  await live();
  server.says('before');
  await eventually(() => received.length === 1);
  server.earlier = [server.epoch];
  server.epoch = 'e2';
  server.writes('event: bye\ndata: {"reason":"epoch"}\n\n');
  server.says('after');
  await eventually(() => received.length === 2);
  expect([snapshots, received, stream.cursor]).toEqual([[], ['before', 'after'], server.cursor]);
});

test('the stream reconnects after a bye', async () => {
  listens(server.cursor);
  await live();
  server.writes('event: bye\ndata: {"reason":"drain"}\n\n');
  await eventually(() => server.requests.length === 2);
  await live();
  expect(states.map((one) => one.name)).not.toContain('offline');
});

test('an ended session stops the stream permanently', async () => {
  server.errorAnswer = { status: 401 };
  listens(server.cursor);
  await eventually(() => state() === 'refused');
  expect(server.requests.length).toBe(1);
});

test('Retry-After is honored', async () => {
  server.errorAnswer = { status: 503, headers: { 'Retry-After': '1' } };
  listens(server.cursor);
  await eventually(() => state() === 'offline');
  server.errorAnswer = null;
  await live();
  expect((server.requests[1]?.at ?? 0) - (server.requests[0]?.at ?? 0)).toBeGreaterThanOrEqual(990);
});

test('wake retries at once', async () => {
  server.errorAnswer = { status: 503, headers: { 'Retry-After': '600' } };
  listens(server.cursor);
  await eventually(() => state() === 'offline');
  server.errorAnswer = null;
  stream.wake();
  await live();
});

test('the client polls through a network that buffers streams, until a stream gets through again', async () => {
  server.streams = 'buffer';
  listens(server.cursor);
  await eventually(() => state() === 'polling');
  for (const body of ['one', 'two']) server.says(body);
  await eventually(() => received.length === 2);
  server.streams = 'open';
  await live();
  server.says('three');
  await eventually(() => received.length === 3);
  expect(received).toEqual(['one', 'two', 'three']);
});

test('entries missed over a long time are polled page by page, without a pause', async () => {
  const said = Array.from({ length: 95 }, (_, n) => `${n}`);
  for (const body of said) server.says(body);
  [server.streams, server.page] = ['buffer', 10];
  listens('e1.0');
  await eventually(() => received.length === 95);
  expect(received).toEqual(said);
  const polls = server.requests.filter((one) => one.path === 'poll').slice(0, 10);
  expect(new Set(polls.map((one) => one.cursor)).size).toBe(10);
});

test('polling handles a reset too', async () => {
  for (const body of ['a', 'b']) server.says(body);
  [server.streams, server.floor] = ['buffer', 100];
  listens('e1.1');
  await eventually(() => snapshots.length > 0);
  server.floor = 0;
  await eventually(() => state() === 'polling');
  server.says('c');
  await eventually(() => received.length === 1);
  expect([snapshots[0], received]).toEqual(['too_old', ['c']]);
});

test('a stream that is open but silent is replaced by polling', async () => {
  server.streams = 'mute';
  listens(server.cursor);
  await live();
  server.says('not on the stream');
  await eventually(() => received.length === 1);
  expect(state()).toBe('polling');
});

test('a quiet stream that beats stays open', async () => {
  listens(server.cursor);
  await live();
  for (let n = 0; n < 8; n++) {
    server.beats();
    await new Promise((resolve) => setTimeout(resolve, 50)); // in total longer than the allowed silence
  }
  expect(server.requests.length).toBe(1);
});

test('nothing arrives after stop', async () => {
  listens(server.cursor);
  await live();
  stream.stop();
  server.says('too late');
  await eventually(() => server.open.size === 0);
  expect([received, state()]).toEqual([[], 'stopped']);
});

test('a stream reported as stalled is replaced by polling, until it recovers', async () => {
  listens(server.cursor);
  await live();
  server.streams = 'mute';
  server.says('held back');
  stream.reportStall();
  await eventually(() => state() === 'polling');
  await eventually(() => received.length === 1);
  server.streams = 'open';
  await live();
  server.says('whole again');
  await eventually(() => received.length === 2);
});
