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

test('users on the screen are watched, and their changes are shown', async () => {
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

test('a user shown twice is watched once, until both have left the screen', async () => {
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

test('at most 500 users are watched, 200 in a frame, and more when others leave the screen', async () => {
  for (let id = 1; id <= 520; id++) server.people.set(id, record(id));
  begins();
  const leave = Array.from({ length: 520 }, (_, n) => presence.watch('users', n + 1));
  await eventually(() => presence.view.people.size === 500);
  expect(server.named('watch').map((one) => one.users?.length)).toEqual([200, 200, 100]);
  for (const one of leave.slice(0, 30)) one();
  await eventually(() => status(520) === 'online');
  expect(presence.view.people.size).toBe(490);
});

test('changes are held until the snapshot arrives', async () => {
  begins();
  await open();
  server.says({ type: 'presence', users: [record(7, { status: 'dnd', version: 2 })] });
  server.says({ type: 'beat', witness: 'e1.9' });
  await eventually(() => positions.includes('e1.9'));
  expect(status(7)).toBeUndefined();
  server.says({ type: 'snapshot', users: [record(7, { status: 'away', version: 1 })] });
  await eventually(() => status(7) === 'dnd');
});

test('a hidden user is removed, and shown again when they may be seen', async () => {
  server.people.set(7, record(7, { version: 3 }));
  begins();
  presence.watch('users', 7);
  await eventually(() => status(7) === 'online');
  server.says({ type: 'hidden', users: [7] });
  await eventually(() => status(7) === undefined);
  server.says({ type: 'presence', users: [record(7, { version: 3 })] });
  await eventually(() => status(7) === 'online');
});

test('a user missing from the answer to a watch is removed', async () => {
  server.people.set(7, record(7));
  begins();
  presence.watch('users', 7);
  await eventually(() => status(7) === 'online');
  server.people.clear();
  server.says({ type: 'degraded', on: true });
  server.says({ type: 'degraded', on: false });
  await eventually(() => status(7) === undefined);
});

test('after a cut connection, the client reconnects, watches again, and replaces its records', async () => {
  server.people.set(7, record(7, { status: 'dnd', version: 9 }));
  begins();
  presence.watch('users', 7);
  await eventually(() => status(7) === 'dnd');
  server.people.set(7, record(7, { status: 'away', version: 1 }));
  server.cuts();
  await eventually(() => status(7) === 'away');
});

test('each typing list replaces the one before, leaves out this user, and ends with the socket', async () => {
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

test('typing is reported once in three seconds, and ends when the message is sent', async () => {
  begins();
  await open();
  for (let n = 0; n < 5; n++) presence.typingSender.keyPressed(3);
  presence.typingSender.keyPressed(3, Date.now() + 3_000);
  presence.typingSender.stop();
  presence.typingSender.stop();
  await eventually(() => server.named('typing').length === 3);
  expect(server.named('typing').map((one) => one.on)).toEqual([true, true, false]);
});

test('a status shows at once, and is sent when a socket is open', async () => {
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

test('the client reconnects when no hello arrives', async () => {
  server.handshake = 'mute';
  begins();
  await eventually(() => sockets().length > 1);
  server.handshake = 'greet';
  await open();
});

test('a socket without heartbeats is closed', async () => {
  server.heartbeat = 0.04;
  begins();
  await open();
  await eventually(() => sockets().length > 1);
});

test('after a rejected handshake, the client asks for a ticket and connects with it', async () => {
  server.handshake = 'refuse';
  begins();
  await eventually(() => sockets().length > 0);
  server.handshake = 'greet';
  await open();
  expect(server.requests.slice(-2)).toEqual(['POST /api/presence/ticket', 'socket /api/presence/socket?ticket=t1']);
});

test('with a token, every socket uses a ticket', async () => {
  begins('secret');
  await open();
  expect(sockets()).toEqual(['socket /api/presence/socket?ticket=t1']);
});

test('an ended session is reported and not retried', async () => {
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
])('after close code %i the client waits at least %i ms', async (code, least) => {
  begins();
  await open();
  const before = Date.now();
  server.closes(code);
  await eventually(() => sockets().length === 2);
  expect(Date.now() - before).toBeGreaterThanOrEqual(least);
});

test('Retry-After is honored, and wake reconnects at once', async () => {
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
