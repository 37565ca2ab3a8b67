/**
 * The store against a real server: two users, one conversation, late joins, repeated entries, reading on two
 * devices.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Api } from './api';
import { makeChannel, makeUser } from './testing/fixtures';
import { eventually } from './testing/fake-server';
import { Store } from './store';
import type { Conversation, Message } from './types';

const [ana, ben] = [1, 2];
const timings = { backoff: { first: 10, most: 20 }, quiet: 5 };

let server: Server;
let store: Store;
let messages: Message[];
let frames: string[];
let streams: Set<ServerResponse>;
/** The answers to GET by path, and all PUT requests in order. */
let answers: Record<string, unknown>;
let puts: { url: string; body: string }[];
/** Answers to GET on this path wait for `until`. */
let heldBack: { path: string; until: Promise<void> } | null;
/** How many of the next snapshots are copies that a service worker had kept, and how many snapshots were loaded. */
let copies: number;
let snapshots: number;

const conversation = (change: Partial<Conversation> = {}): Conversation =>
  makeChannel({ last_seq: messages.length, unread: messages.length, ...change });

function tells(event: string, data: object): void {
  const frame = `id: e.${frames.length + 1}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  frames.push(frame);
  for (const stream of streams) stream.write(frame);
}

function says(author: number, body: string, client_id = `c${messages.length}`): Message {
  const message = {
    conversation: 7,
    seq: messages.length + 1,
    author,
    body,
    client_id,
    created_at: '2026-01-01T00:00:00.000Z',
  };
  messages.push(message);
  tells('message', message);
  return message;
}

beforeEach(async () => {
  [messages, frames, puts, streams, heldBack] = [[], [], [], new Set(), null];
  [copies, snapshots] = [0, 0];
  answers = {
    '/api/chat/conversations': { conversations: [conversation()], cursor: 'e.0' },
    '/api/chat/threads': { threads: [], cursor: 'e.0' },
  };
  server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://peer');
    let body = '';
    for await (const part of request) body += part;
    if (url.pathname === '/api/chat/stream')
      return stream(response, Number(request.headers['last-event-id']?.toString().split('.')[1]));
    if (heldBack && url.pathname.endsWith(heldBack.path)) await heldBack.until;
    if (request.method === 'PUT') puts.push({ url: url.pathname, body });
    if (request.method === 'POST') {
      const { body: text, client_id } = JSON.parse(body) as { body: string; client_id: string };
      return response.writeHead(201).end(JSON.stringify({ message: says(ana, text, client_id) }));
    }
    if (url.pathname.endsWith('/messages')) answers[url.pathname] = page(url.searchParams);
    if (url.pathname === '/api/users')
      answers[url.pathname] = { users: [makeUser(ben, 'ben', 'Ben')] };
    if (url.pathname === '/api/chat/conversations' && ++snapshots <= copies) response.setHeader('Tandem-Copy', '1');
    response.writeHead(request.method === 'PUT' ? 204 : url.pathname in answers ? 200 : 404);
    return response.end(request.method === 'GET' ? JSON.stringify(answers[url.pathname] ?? {}) : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const api = new Api({ base: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  store = new Store({ api, me: makeUser(ana, 'ana', 'Ana'), timings });
});

afterEach(() => {
  store.stop();
  server.closeAllConnections();
  server.close();
});

function stream(response: ServerResponse, from: number): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  response.write(`id: e.${from}\nevent: ready\ndata: {}\n\n${frames.slice(from).join('')}`);
  streams.add(response);
  response.on('close', () => streams.delete(response));
}

function page(search: URLSearchParams): object {
  const [before, after] = [Number(search.get('before') ?? Infinity), Number(search.get('after') ?? 0)];
  const all = messages.filter((one) => one.seq < before && one.seq > after);
  const some = all.slice(-5);
  return { messages: some, has_before: (some[0]?.seq ?? 1) > 1, has_after: false };
}

async function begins(): Promise<void> {
  store.start();
  await eventually(() => store.view.connection.name === 'live');
}

const bodies = () => store.view.timelines.get(7)?.messages.map((one) => one.body);

test('messages arrive in an open timeline, with the names of their authors', async () => {
  await begins();
  await store.pages.open(7);
  says(ben, 'hello');
  await eventually(() => bodies()?.length === 1 && store.view.users.has(ben));
  expect(store.view.conversations.get(7)).toMatchObject({ unread: 1, last_seq: 1 });
});

test('what a service worker had kept is loaded again when the server is reachable', async () => {
  copies = 1;
  says(ben, 'unknown to the copy');
  await begins();
  await eventually(() => snapshots === 2 && store.view.connection.name === 'live');
  await store.pages.open(7);
  says(ben, 'new');
  await eventually(() => bodies()?.length === 2);
  expect(snapshots).toBe(2);
});

test('older pages are added above', async () => {
  for (let n = 1; n <= 12; n++) says(ben, `${n}`);
  answers['/api/chat/conversations'] = { conversations: [conversation()], cursor: 'e.12' };
  await begins();
  await store.pages.open(7);
  expect(bodies()).toEqual(['8', '9', '10', '11', '12']);
  await store.pages.older(7);
  await store.pages.older(7);
  expect([bodies()?.length, store.view.timelines.get(7)?.hasBefore]).toEqual([12, false]);
});

test('a message I send shows at once, and only once when the stream brings it', async () => {
  await begins();
  await store.pages.open(7);
  store.send(7, 'mine');
  expect(store.view.outgoing).toHaveLength(1);
  await eventually(() => bodies()?.length === 1 && !store.view.outgoing.length);
  expect(store.view.conversations.get(7)).toMatchObject({ unread: 0, read_seq: 1 });
});

test('a conversation I am added to appears, with messages that arrived while it loaded', async () => {
  answers['/api/chat/conversations'] = { conversations: [], cursor: 'e.0' };
  answers['/api/chat/conversations/7'] = conversation();
  await begins();
  tells('member', { conversation: 7, user: ana, role: 'member' });
  says(ben, 'welcome');
  await eventually(() => store.view.conversations.get(7)?.unread === 1);
  tells('member', { conversation: 7, user: ana, role: null });
  await eventually(() => store.view.conversations.size === 0);
});

test('only the latest read mark is sent', async () => {
  await begins();
  for (let n = 1; n <= 3; n++) says(ben, `${n}`);
  await eventually(() => store.view.conversations.get(7)?.unread === 3);
  store.markRead(7, 1);
  store.markRead(7, 2);
  store.markRead(7, 3);
  expect(store.view.conversations.get(7)?.unread).toBe(0);
  await eventually(() => puts.at(-1)?.body === '{"seq":3}');
  expect(puts.length).toBeLessThanOrEqual(2);
});

test('what the user marked as unread is read only when they ask', async () => {
  await begins();
  for (let n = 1; n <= 3; n++) says(ben, `${n}`);
  await eventually(() => store.view.conversations.get(7)?.unread === 3);
  store.markRead(7, 3);
  await store.markUnread(7, 2);
  expect(puts.at(-1)?.body).toBe('{"seq":1,"unread":true}');
  tells('read', { conversation: 7, seq: 1, unread: 2, mentions: 0, marked_unread: true });
  await eventually(() => store.view.conversations.get(7)?.marked_unread === true);
  const sent = puts.length;
  store.markRead(7, 3);
  expect([store.view.conversations.get(7)?.unread, puts.length]).toEqual([2, sent]);
  store.markRead(7, 3, true);
  expect(store.view.conversations.get(7)).toMatchObject({ read_seq: 3, unread: 0 });
  expect(store.view.conversations.get(7)?.marked_unread).toBeUndefined();
  await eventually(() => puts.at(-1)?.body === '{"seq":3,"unread":false}');
});

test('entries that arrive together update the view once', async () => {
  await begins();
  let calls = 0;
  store.subscribe(() => (calls += 1));
  for (const stream of streams) stream.cork();
  for (let n = 0; n < 100; n++) says(ben, `${n}`);
  for (const stream of streams) stream.uncork();
  await eventually(() => store.view.conversations.get(7)?.unread === 100);
  expect(calls).toBeLessThan(20);
});

test.each([
  ['/receipts', () => store.pages.loadReceipts(7), { receipts: [{ user: ben, seq: 1 }] }],
  ['/pins', () => store.pages.loadPins(7), { pins: [] }],
  ['/messages', () => store.pages.newest(7), null],
  ['/messages/1/replies', () => store.pages.openThread(7, 1), { messages: [], has_before: false, has_after: false }],
])('a message that arrives while %s loads is kept', async (path, read, answer) => {
  answers[`/api/chat/conversations/7${path}`] = answer;
  await begins();
  await store.pages.open(7);
  let goOn = () => undefined as void;
  heldBack = { path, until: new Promise((resolve) => (goOn = resolve)) };
  const reading = read();
  says(ben, 'meanwhile');
  await eventually(() => store.view.conversations.get(7)?.last_seq === 1);
  goOn();
  await reading;
  expect(store.view.conversations.get(7)).toMatchObject({ last_seq: 1, unread: 1 });
});

test('a reaction shows at once, and is removed if the server rejects it', async () => {
  says(ben, 'hello');
  answers['/api/chat/conversations'] = { conversations: [conversation()], cursor: 'e.1' };
  await begins();
  await store.pages.open(7);
  const reactions = () => store.view.timelines.get(7)?.messages[0]?.reactions;
  const liking = store.actions.react(7, 1, '👍', true);
  expect(reactions()).toEqual([{ emoji: '👍', users: [ana] }]);
  await liking;
  server.closeAllConnections();
  server.close();
  await expect(store.actions.react(7, 1, '🎉', true)).rejects.toMatchObject({ status: 0 });
  expect(reactions()).toEqual([{ emoji: '👍', users: [ana] }]);
});

test('an edit that cannot be saved stays, to be retried', async () => {
  says(ana, 'teh');
  answers['/api/chat/conversations'] = { conversations: [conversation()], cursor: 'e.1' };
  await begins();
  await store.pages.open(7);
  const saving = store.edits.save(7, 1, 'the');
  expect(store.view.edits).toMatchObject([{ body: 'the', state: 'saving' }]);
  await saving;
  expect(store.view.edits).toMatchObject([{ body: 'the', state: 'failed' }]);
  store.edits.discard(7, 1);
  expect(store.view.edits).toEqual([]);
});
