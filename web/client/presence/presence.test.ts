/** Presence over a real socket: watching, typing, status, and every way that a socket can end. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Api } from '../api';
import { eventually } from '../testing/fake-server';
import { record, FakePresenceServer, you } from '../testing/fake-presence-server';
import { Presence } from './presence';

const timings = { helloWithin: 150, backoff: { first: 10, most: 50 }, tooFast: 0.2, tooBad: 0.2 };

let server: FakePresenceServer;
let presence: Presence;
let positions: string[];

beforeEach(async () => {
  server = new FakePresenceServer();
  await server.listen();
  positions = [];
});

afterEach(async () => {
  presence.stop();
  await server.kill();
});

function begins(token?: string): void {
  const api = new Api({ base: server.url, ...(token && { token }) });
  presence = new Presence({ api, me: 1, timings, onLogPosition: (cursor) => positions.push(cursor) });
  presence.start();
}

const state = () => presence.view.socket.name;
const open = () => eventually(() => state() === 'open');
const status = (id: number) => presence.view.people.get(id)?.status;
const sockets = () => server.requests.filter((one) => one.startsWith('socket'));

test('who is on the screen is watched, and what changes is seen', async () => {
  server.people.set(7, record(7, { status: 'away', version: 3 }));
  begins();
  const leave = presence.watch('users', 7);
  await eventually(() => status(7) === 'away');
  server.says({ type: 'presence', users: [record(7, { status: 'dnd', version: 5 })] });
  server.says({ type: 'presence', users: [record(7, { status: 'online', version: 4 })] });
  server.says({ type: 'beat', witness: 'e1.9' });
  await eventually(() => positions.includes('e1.9'));
  expect(status(7)).toBe('dnd');
  leave();
  await eventually(() => server.named('unwatch').length === 1);
  expect(server.named('unwatch')[0]).toMatchObject({ users: [7] });
});

test('a person shown twice is watched once, and until the last has gone', async () => {
  begins();
  await open();
  const [one, two] = [presence.watch('users', 7), presence.watch('users', 7)];
  await eventually(() => server.named('watch').length === 1);
  one();
  presence.watch('conversations', 3);
  await eventually(() => server.named('watch').length === 2);
  expect(server.named('unwatch')).toEqual([]);
  two();
  await eventually(() => server.named('unwatch').length === 1);
});

test('at most 500 are watched, in frames that the server reads, and the next when others have gone', async () => {
  for (let id = 1; id <= 520; id++) server.people.set(id, record(id));
  begins();
  const leave = Array.from({ length: 520 }, (_, n) => presence.watch('users', n + 1));
  await eventually(() => presence.view.people.size === 500);
  expect(server.named('watch').map((one) => one.users?.length)).toEqual([200, 200, 100]);
  for (const one of leave.slice(0, 30)) one();
  await eventually(() => status(520) === 'online');
  expect(presence.view.people.size).toBe(490);
});

test('deltas are held until the snapshot has come', async () => {
  begins();
  await open();
  server.says({ type: 'presence', users: [record(7, { status: 'dnd', version: 2 })] });
  server.says({ type: 'beat', witness: 'e1.9' });
  await eventually(() => positions.includes('e1.9'));
  expect(status(7)).toBeUndefined();
  server.says({ type: 'snapshot', users: [record(7, { status: 'away', version: 1 })] });
  await eventually(() => status(7) === 'dnd');
});

test('who may no longer be seen is not shown as he was, and shown when he may be again', async () => {
  server.people.set(7, record(7, { version: 3 }));
  begins();
  presence.watch('users', 7);
  await eventually(() => status(7) === 'online');
  server.says({ type: 'hidden', users: [7] });
  await eventually(() => status(7) === undefined);
  server.says({ type: 'presence', users: [record(7, { version: 3 })] });
  await eventually(() => status(7) === 'online');
});

test('who may no longer be seen is not in the answer, either', async () => {
  server.people.set(7, record(7));
  begins();
  presence.watch('users', 7);
  await eventually(() => status(7) === 'online');
  server.people.clear();
  server.says({ type: 'degraded', on: true });
  server.says({ type: 'degraded', on: false });
  await eventually(() => status(7) === undefined);
});

test('after a cut it comes back, watches again, and believes the registry anew', async () => {
  server.people.set(7, record(7, { status: 'dnd', version: 9 }));
  begins();
  presence.watch('users', 7);
  await eventually(() => status(7) === 'dnd');
  server.people.set(7, record(7, { status: 'away', version: 1 }));
  server.cuts();
  await eventually(() => status(7) === 'away');
});

test('typing is a list that replaces, without oneself, and that ends with the socket', async () => {
  begins();
  await open();
  const typing = () => presence.view.typing.get(3) ?? [];
  server.says({ type: 'typing', conversation: 3, users: [1, 7, 9] });
  await eventually(() => typing().length === 2);
  expect(typing()).toEqual([7, 9]);
  server.says({ type: 'typing', conversation: 3, users: [9] });
  await eventually(() => typing().length === 1);
  server.cuts();
  await eventually(() => typing().length === 0);
});

test('a key says typing once in three seconds; sending ends it', async () => {
  begins();
  await open();
  for (let n = 0; n < 5; n++) presence.typingSender.keyPressed(3);
  presence.typingSender.keyPressed(3, Date.now() + 3_000);
  presence.typingSender.stop();
  presence.typingSender.stop();
  await eventually(() => server.named('typing').length === 3);
  expect(server.named('typing').map((one) => one.on)).toEqual([true, true, false]);
});

test('a status is shown at once, and said when there is a socket', async () => {
  server.handshake = 'mute';
  begins();
  presence.choose({ mode: 'dnd', text: 'focus', emoji: '🎧', until: null });
  server.handshake = 'greet';
  server.cuts();
  await eventually(() => server.named('status').length === 1);
  expect(server.named('status')[0]).toMatchObject({ status: 'dnd', text: 'focus', emoji: '🎧' });
  presence.choose({ mode: 'invisible', text: '', emoji: '', until: null });
  expect(presence.view.you).toMatchObject({ mode: 'invisible', status: 'invisible' });
  server.says({ type: 'you', you: { ...you, version: 7 } });
  await eventually(() => presence.view.you?.version === 7);
});

test('without a hello it tries again', async () => {
  server.handshake = 'mute';
  begins();
  await eventually(() => sockets().length > 1);
  server.handshake = 'greet';
  await open();
});

test('a socket without heartbeats is given up', async () => {
  server.heartbeat = 0.04;
  begins();
  await open();
  await eventually(() => sockets().length > 1);
});

test('a refused handshake asks for a ticket, and goes on with it', async () => {
  server.handshake = 'refuse';
  begins();
  await eventually(() => sockets().length > 0);
  server.handshake = 'greet';
  await open();
  expect(server.requests.slice(-2)).toEqual(['POST /api/presence/ticket', 'socket /api/presence/socket?ticket=t1']);
});

test('with a token there is always a ticket', async () => {
  begins('secret');
  await open();
  expect(sockets()).toEqual(['socket /api/presence/socket?ticket=t1']);
});

test('an ended login is told, and not tried again', async () => {
  begins();
  await open();
  server.closes(4401);
  await eventually(() => state() === 'refused');
  server.handshake = 'refuse';
  server.ticketError = { status: 401 };
  presence.stop();
  begins();
  await eventually(() => state() === 'refused');
});

test.each([
  [1001, 0],
  [4429, 200],
  [1008, 200],
])('after close %i it stays away for at least %i ms', async (code, least) => {
  begins();
  await open();
  const before = Date.now();
  server.closes(code);
  await eventually(() => sockets().length === 2);
  expect(Date.now() - before).toBeGreaterThanOrEqual(least);
});

test('Retry-After is honoured, and waking tries at once', async () => {
  server.handshake = 'refuse';
  server.ticketError = { status: 503, retryAfter: 60 };
  begins();
  await eventually(() => {
    const { socket } = presence.view;
    return socket.name === 'closed' && socket.retryAt > Date.now() + 50_000;
  });
  [server.handshake, server.ticketError] = ['greet', null];
  presence.wake();
  await open();
});
