/** Sending a streamed message to a server that loses answers, is busy, forgets text, or ends the message. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Api } from './api';
import type { Stop } from './entry';
import { streamMessage, type StreamMessageOptions, type TextSource } from './message-writer';
import { codePoints, withoutFirst } from './message';
import { eventually } from './testing/fake-server';
import { randomFrom } from './testing/seeded-random';

type Answer = [status: number, document: object];
type Fault = 'lost' | 'unsent' | 'busy' | 'forgets';

let server: Server;
let api: Api;
let body: string;
let state: string | null;
let data: unknown;
/** The calls so far, and the appends that the server has not answered yet. */
let calls: string[];
let inFlight: number;
let mostInFlight: number;
/** Returns what goes wrong with the next call. */
let draft: Record<string, unknown>;
let fault: () => Fault | null;
let held: Promise<void> | null;

const message = () => ({
  conversation: 7,
  seq: 3,
  author: 1,
  body,
  client_id: 'c',
  created_at: '2026-01-01T00:00:00.000Z',
  ...(state ? { state } : { streaming: true }),
});
const problem = (status: number, code: string, more: object = {}): Answer => [status, { status, code, detail: code, ...more }];

function answer(method: string, path: string, sent: Record<string, unknown>): Answer {
  if (method === 'GET') return [200, { message: message() }];
  if (path.endsWith('/messages')) {
    draft = sent;
    return [201, { message: message() }];
  }
  if (path.endsWith('/finish')) {
    if (state !== null && state !== sent['state']) return problem(409, 'finished');
    [state, data] = [String(sent['state']), sent['data']];
    return [200, { message: message() }];
  }
  const [at, text] = [Number(sent['at']), String(sent['text'])];
  if (state !== null) return problem(409, 'finished');
  const length = codePoints(body);
  if (at > length) return problem(409, 'gap', { length });
  const tail = withoutFirst(body, at);
  if (!text.startsWith(tail) && !tail.startsWith(text)) return problem(409, 'other_text', { length });
  body += text.slice(tail.length);
  return [200, { length: codePoints(body) }];
}

beforeEach(async () => {
  [body, state, data, calls, inFlight, mostInFlight] = ['', null, undefined, [], 0, 0];
  [fault, held] = [() => null, null];
  server = createServer(async (request, response) => {
    mostInFlight = Math.max(mostInFlight, ++inFlight);
    let sent = '';
    for await (const part of request) sent += part;
    const path = request.url ?? '';
    calls.push(path.split('/').at(-1) ?? '');
    if (path.endsWith('/append')) await held;
    const wrong = fault();
    if (wrong === 'forgets' && path.endsWith('/append')) body = [...body].slice(0, -5).join('');
    inFlight -= 1;
    if (wrong === 'unsent') return request.socket.destroy();
    const [status, document] =
      wrong === 'busy' ? problem(503, 'overloaded') : answer(request.method ?? '', path, sent ? JSON.parse(sent) : {});
    if (wrong === 'lost') return request.socket.destroy();
    return response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(document));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api = new Api({ base: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const write = (source: TextSource, options: StreamMessageOptions = {}) =>
  streamMessage(api, 7, source, { backoff: { first: 1, most: 5 }, ...options });

async function* tokens(...texts: string[]): AsyncGenerator<string, void> {
  for (const text of texts) yield text;
}

/** A source that the test feeds. */
function feed() {
  const queue: string[] = [];
  const known = { returned: false, pulled: 0 };
  let wake = () => undefined as void;
  const source: TextSource = {
    [Symbol.asyncIterator]: () => ({
      async next() {
        known.pulled += 1;
        while (!queue.length) await new Promise<void>((resolve) => (wake = resolve));
        return { done: false, value: queue.shift() as string };
      },
      async return() {
        known.returned = true;
        return { done: true, value: undefined };
      },
    }),
  };
  const put = (text: string) => (queue.push(text), wake());
  return { source, put, known };
}

test('a text arrives whole, with the data that the source returns', async () => {
  async function* source(): AsyncGenerator<string, { tokens: number }> {
    yield* ['Wash ', '', 'the 🥬, ', 'cut it.'];
    return { tokens: 3 };
  }
  const sent = await write(source());
  expect([sent.body, sent.state, data]).toEqual(['Wash the 🥬, cut it.', 'complete', { tokens: 3 }]);
});

test('the message begins with its type, data and references', async () => {
  await write(tokens('On its way'), { type: 'order.shipped', data: { order: 4711 }, reply_to: 2 });
  expect(draft).toMatchObject({ body: '', streaming: true, type: 'order.shipped', data: { order: 4711 }, reply_to: 2 });
});

test('at most one append is in flight, and text that is produced meanwhile is joined', async () => {
  let release = () => undefined as void;
  held = new Promise((resolve) => (release = resolve));
  const { source, put, known } = feed();
  const stop = new AbortController();
  const writing = write(source, { signal: stop.signal });
  for (let n = 0; n < 100; n++) put(`${n} `);
  await eventually(() => known.pulled > 100 && calls.includes('append'));
  release();
  await eventually(() => body.endsWith('99 '));
  expect([calls.filter((one) => one === 'append').length < 5, mostInFlight]).toEqual([true, 1]);
  stop.abort();
  await writing;
});

test('a source that is faster than the server waits', async () => {
  let release = () => undefined as void;
  held = new Promise((resolve) => (release = resolve));
  let produced = 0;
  async function* source(): AsyncGenerator<string, void> {
    for (; produced < 60; produced++) yield 'x'.repeat(1_000);
  }
  const writing = write(source());
  await eventually(() => produced > 16 && calls.includes('append'));
  const before = produced;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([produced, produced < 30]).toEqual([before, true]);
  release();
  expect((await writing).body).toHaveLength(60_000);
});

test('whatever goes wrong on the way, the text is the same, character by character', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    [body, state] = ['', null];
    const random = randomFrom(seed);
    const letters = [...'Wash the leek 🥬, cut it. स्वाद 👩‍🍳 e\u0301 '.repeat(40)];
    async function* source(): AsyncGenerator<string, void> {
      for (let at = 0; at < letters.length; ) {
        const next = at + 1 + Math.floor(random() * 30);
        yield letters.slice(at, next).join('');
        if (random() < 0.3) await new Promise((resolve) => setTimeout(resolve, 1));
        at = next;
      }
    }
    const faults: (Fault | null)[] = ['lost', 'unsent', 'busy', 'forgets', null, null, null, null];
    fault = () => (state === null ? (faults[Math.floor(random() * faults.length)] ?? null) : null);
    const sent = await write(source());
    expect([sent.body, sent.state], `seed ${seed}`).toEqual([letters.join(''), 'complete']);
  }
}, 60_000);

test('halves of a character are joined, and a half alone is replaced', async () => {
  const [high, low] = ['🥬'[0] as string, '🥬'[1] as string];
  expect((await write(tokens('a', high, low, `b${high}`))).body).toBe('a🥬b\ufffd');
});

test.each([['signal'], ['stop']])('a %s ends the source and cancels the message, with the text so far', async (how) => {
  const { source, put, known } = feed();
  const controller = new AbortController();
  let ask: (stop: Stop) => void = () => undefined;
  const onStop = (listener: typeof ask) => ((ask = listener), () => undefined);
  const writing = write(source, { signal: controller.signal, onStop });
  put('so far');
  await eventually(() => body === 'so far');
  ask({ conversation: 7, seq: 4, by: 2 });
  ask({ conversation: 8, seq: 3, by: 2 });
  if (how === 'signal') controller.abort();
  else ask({ conversation: 7, seq: 3, by: 2 });
  expect(await writing).toMatchObject({ body: 'so far', state: 'cancelled' });
  expect(known.returned).toBe(true);
});

test('a request to stop that overtakes the answer to the post counts', async () => {
  const onStop = (listener: (stop: Stop) => void) => (listener({ conversation: 7, seq: 3, by: 2 }), () => undefined);
  expect((await write(feed().source, { onStop })).state).toBe('cancelled');
});

test('a message that the server has ended is returned as it is, and the source ends', async () => {
  const { source, put, known } = feed();
  const writing = write(source);
  put('one');
  await eventually(() => body === 'one');
  state = 'failed';
  put('two');
  expect(await writing).toMatchObject({ body: 'one', state: 'failed' });
  expect(known.returned).toBe(true);
});

test('an error of the source ends the message as failed and is thrown', async () => {
  async function* source(): AsyncGenerator<string, void> {
    yield 'half';
    throw new Error('the model is gone');
  }
  await expect(write(source())).rejects.toThrow('the model is gone');
  expect([body, state]).toEqual(['half', 'failed']);
});

test('a message that is rejected is thrown, and its source ends', async () => {
  const { source, put, known } = feed();
  const writing = write(source);
  put('mine');
  await eventually(() => body === 'mine');
  body = 'other text';
  put('!');
  await expect(writing).rejects.toMatchObject({ code: 'other_text' });
  await eventually(() => known.returned);
  expect(state).toBe('failed');
});

test('a source that is silent for long is still there', async () => {
  const { source, put } = feed();
  const controller = new AbortController();
  const writing = write(source, { silence: 5, signal: controller.signal });
  put('thinking');
  await eventually(() => calls.filter((one) => one === 'append').length > 3);
  controller.abort();
  expect((await writing).body).toBe('thinking');
});

test('a signal that is aborted from the start sends nothing', async () => {
  await expect(write(tokens('x'), { signal: AbortSignal.abort() })).rejects.toThrow();
  expect(calls).toEqual([]);
});
