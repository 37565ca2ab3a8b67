/** Commands over a socket that breaks: each is answered and done once, and entries arrive once and in order. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Api } from './api';
import { CommandSocket } from './command-socket';
import type { StreamState } from './entry-source';
import { FakeCommandServer } from './testing/fake-command-server';
import { eventually } from './testing/fake-server';

const timings = { readyWithin: 2_000, silence: 2_000, quiet: 20, poll: 5, probeAfter: 100, backoff: { first: 20, most: 100 } };

let server: FakeCommandServer;
let socket: CommandSocket;
let received: string[];
let states: StreamState[];

beforeEach(async () => {
  [received, states] = [[], []];
  server = new FakeCommandServer();
  await server.listen();
  connect();
});

afterEach(async () => {
  vi.unstubAllGlobals();
  socket.stop();
  await server.kill();
});

function connect(options: { token?: string; user?: string } = {}): void {
  socket?.stop();
  socket = new CommandSocket({
    api: new Api({ base: server.base, ...options }),
    cursor: server.cursor,
    timings,
    onEntry: (entry) => entry.event === 'message' && received.push(entry.data.body),
    onState: (state) => states.push(state),
  });
  socket.start();
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => `${n}`);
const stored = () => [...server.messages.values()].map((one) => one.body);
const isLive = () => eventually(() => states.at(-1)?.name === 'live');

test('each command is answered', async () => {
  const file = { id: 9, name: 'a', size: 1, type: 'text/plain' };
  const posted = await socket.post(12, 'first', 'c1', { reply_to: 3, files: [file], type: 'note' });
  expect([posted.body, posted.conversation, posted.client_id]).toEqual(['first', 12, 'c1']);
  expect(server.received[0]).toMatchObject({ type: 'post', reply_to: 3, files: [9], message_type: 'note' });
  expect((await socket.edit(12, posted.seq, 'second', undefined, null)).body).toBe('second');
  await socket.react(12, posted.seq, '👍', true);
  await socket.react(12, posted.seq, '👍', false);
  await socket.read(12, posted.seq);
  await socket.delete(12, posted.seq);
  const streamed = await socket.beginStreaming(12, 'c2');
  expect(await socket.append(12, streamed.seq, 0, '🥨 one')).toBe(5);
  expect(await socket.finish(12, streamed.seq, 'complete')).toMatchObject({ body: '🥨 one', state: 'complete' });
  expect(server.received.map((one) => one.type)).toEqual([
    ...['post', 'edit', 'react', 'react', 'read', 'delete', 'post', 'append', 'finish'],
  ]);
  expect(server.received.map((one) => ('remove' in one ? one.remove : null))[3]).toBe(true);
  await eventually(() => received.length === 2);
});

test('a refused command rejects with the problem, and later ones are answered', async () => {
  await expect(socket.edit(12, 99, 'x')).rejects.toMatchObject({ status: 404, code: 'not_found' });
  server.fault = () => ({ status: 422, code: 'invalid', detail: 'No.', errors: [{ field: 'body', detail: 'is empty' }] });
  await expect(socket.post(12, '')).rejects.toMatchObject({ code: 'invalid', errors: { body: 'is empty' } });
  server.fault = () => ({ status: 429, code: 'too_fast', detail: 'Wait.', retry_after: 3 });
  await expect(socket.post(12, 'x')).rejects.toMatchObject({ code: 'too_fast', retryAfter: 3, temporary: true });
  server.fault = () => null;
  expect((await socket.post(12, 'y')).body).toBe('y');
});

test('commands that were given before the socket is open are sent in order', async () => {
  await server.kill();
  const posting = numbers(10).map((body) => socket.post(12, body));
  await server.listen();
  await Promise.all(posting);
  expect(stored()).toEqual(numbers(10));
});

test('posts whose answers are lost are sent again, in order, and stored once', async () => {
  let count = 0;
  server.fault = () => [null, 'lost', null, 'undone'][count++ % 4] as 'lost' | 'undone' | null;
  const posted = await Promise.all(numbers(12).map((body) => socket.post(12, body)));
  expect(posted.map((one) => one.body)).toEqual(numbers(12));
  expect(stored()).toEqual(numbers(12));
  await eventually(() => received.length === 12);
  expect(received).toEqual(numbers(12));
});

test('at most 32 commands are unanswered', async () => {
  server.fault = () => 'held';
  const posting = numbers(40).map((body) => socket.post(12, body));
  await eventually(() => server.received.length === 32);
  server.fault = () => null;
  server.cuts();
  await Promise.all(posting);
  expect(stored()).toEqual(numbers(40));
});

test('commands are sent no faster than the server takes them', async () => {
  const began = Date.now();
  await Promise.all(numbers(49).map((body) => socket.post(12, body)));
  // 40 at once, and nine more
  expect(Date.now() - began).toBeGreaterThan(9 * (1000 / 18) - 50);
});

test('entries across cut connections arrive once and in order', async () => {
  for (const body of numbers(20)) {
    if (Number(body) % 5 === 0) {
      await isLive();
      server.cuts();
      states = [];
    }
    server.enters('message', { conversation: 1, seq: Number(body) + 1, body });
  }
  await eventually(() => received.length === 20);
  expect(received).toEqual(numbers(20));
});

test('a streamed message arrives whole although answers are lost', async () => {
  let count = 0;
  server.fault = () => (count++ % 3 === 1 ? 'lost' : null);
  async function* source(): AsyncGenerator<string, void> {
    for (const text of ['Wash ', 'the 🥬, ', 'cut it, ', 'eat it.']) yield text;
  }
  const message = await socket.streamMessage(12, source(), { backoff: { first: 1, most: 5 } });
  expect(message).toMatchObject({ body: 'Wash the 🥬, cut it, eat it.', state: 'complete' });
  expect(server.messages.size).toBe(1);
});

test('a request to stop, from the same socket, cancels a streamed message', async () => {
  async function* endless(): AsyncGenerator<string, void> {
    yield 'so far';
    await new Promise(() => undefined);
  }
  const writing = socket.streamMessage(12, endless());
  await eventually(() => stored()[0] === 'so far');
  server.enters('stop', { conversation: 12, seq: 1, by: 2 });
  expect(await writing).toMatchObject({ body: 'so far', state: 'cancelled' });
});

test('a frame that the server cannot read fails the commands on their way, and is not sent again', async () => {
  await isLive();
  server.fault = () => ({ id: undefined, status: 422, code: 'invalid', detail: 'This frame is not JSON.' });
  await expect(socket.post(12, 'x')).rejects.toMatchObject({ code: 'invalid' });
  server.fault = () => null;
  expect((await socket.post(12, 'half of a character: \ud83e')).body).toBe('half of a character: \ufffd');
  await expect(socket.post(12, '🥨'.repeat(16_384))).rejects.toMatchObject({ status: 413, code: 'too_large' });
  expect(server.received.length).toBe(2);
});

test('an ended session fails the commands that wait and those that follow', async () => {
  await isLive();
  server.errorAnswer = { status: 401 };
  server.fault = () => 'undone';
  await expect(socket.post(12, 'x')).rejects.toMatchObject({ status: 401 });
  expect(states.at(-1)?.name).toBe('refused');
  await expect(socket.post(12, 'y')).rejects.toMatchObject({ status: 401 });
});

test('a stopped socket fails its commands, and can be started again', async () => {
  server.fault = () => 'held';
  const posting = socket.post(12, 'x', 'c1');
  await eventually(() => server.received.length === 1);
  socket.stop();
  await expect(posting).rejects.toMatchObject({ name: 'AbortError' });
  server.fault = () => null;
  socket.start();
  expect((await socket.post(12, 'x', 'c1')).seq).toBe(1);
});

test('Node names the user in headers; a browser that would need them is told', async () => {
  connect({ token: 't1' });
  await socket.post(12, 'x');
  expect(server.handshakes.at(-1)?.token).toBe('Bearer t1');
  vi.stubGlobal('document', {});
  expect(() => connect({ token: 't1' })).toThrow('session cookie');
  connect();
  expect((await socket.post(12, 'y')).body).toBe('y');
});

test('without a cursor or a snapshot, entries start at the end of the log', async () => {
  server.enters('message', { conversation: 1, seq: 1, body: 'before' });
  socket.stop();
  socket = new CommandSocket({
    api: new Api({ base: server.base }),
    timings,
    onEntry: (entry) => entry.event === 'message' && received.push(entry.data.body),
  });
  received = [];
  socket.start();
  await socket.post(12, 'after');
  await eventually(() => received.length === 1);
  expect(received).toEqual(['after']);
});
