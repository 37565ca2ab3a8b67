/** Tabs of one browser share one presence socket. It watches for all of them, and all see what it brings. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Api } from '../api';
import { eventually } from '../testing/fake-server';
import { record, FakePresenceServer } from '../testing/fake-presence-server';
import { Presence } from '../presence/presence';
import { FakeLocks } from '../testing/fake-locks';
import { SharedPresenceConnection } from './shared-presence';
import { Tabs } from './tabs';

const timings = { helloWithin: 500, backoff: { first: 10, most: 40 }, tooFast: 1, tooBad: 1 };

let server: FakePresenceServer;
let locks: FakeLocks;
let open: { presence: Presence; tabs: Tabs }[];
let name: string;

async function opens(): Promise<Presence> {
  const tabs = new Tabs({ name, locks, silence: 400, answerWithin: 150 });
  const connection = (make: ConstructorParameters<typeof SharedPresenceConnection>[1]) => new SharedPresenceConnection(tabs, make);
  const presence = new Presence({ api: new Api({ base: server.url }), me: 1, connection, timings });
  open.push({ presence, tabs });
  presence.start();
  await eventually(() => presence.view.socket.name === 'open');
  return presence;
}

function closes(presence: Presence): void {
  presence.stop();
  open.find((one) => one.presence === presence)?.tabs.stop();
}

const watched = () => [...new Set(server.named('watch').flatMap((signal) => signal.users ?? []))].sort();

beforeEach(async () => {
  [server, locks, open, name] = [new FakePresenceServer(), new FakeLocks(), [], `test ${Math.random()}`];
  server.people = new Map([7, 8, 9].map((id) => [id, record(id)]));
  await server.listen();
});

afterEach(async () => {
  for (const { presence } of open) closes(presence);
  await server.kill();
});

test('one socket watches what any tab shows, and every tab gets the records', async () => {
  const [first, second] = [await opens(), await opens()];
  first.watch('users', 7);
  const leave = second.watch('users', 8);
  await eventually(() => second.view.people.has(8) && first.view.people.has(7));
  expect([server.open.size, watched()]).toEqual([1, [7, 8]]);
  leave();
  await eventually(() => server.named('unwatch').some((signal) => signal.users?.includes(8)));
});

test('what a tab watched is unwatched when it closes; if it led, another tab opens a socket', async () => {
  const [first, second, third] = [await opens(), await opens(), await opens()];
  second.watch('users', 8);
  third.watch('users', 9);
  await eventually(() => watched().length === 2);
  closes(third);
  await eventually(() => server.named('unwatch').some((signal) => signal.users?.includes(9)));
  closes(first);
  await eventually(() => server.open.size === 1 && second.view.socket.name === 'open');
  await eventually(() => server.named('watch').filter((signal) => signal.users?.includes(8)).length === 2);
  expect(second.view.people.has(8)).toBe(true);
});

test('a following tab sends through the one socket, which is idle only when all tabs are', async () => {
  const [first, second] = [await opens(), await opens()];
  second.typingSender.keyPressed(12);
  second.choose({ mode: 'dnd', text: 'Focus', emoji: '', until: null });
  await eventually(() => server.named('typing').length === 1 && server.named('status').length === 1);
  const idles = (presence: Presence, idle: boolean) =>
    (presence as unknown as { connection: SharedPresenceConnection }).connection.setIdle(idle);
  idles(first, true);
  idles(second, true);
  await eventually(() => server.named('idle').length === 1);
  idles(second, false);
  await eventually(() => server.named('active').length === 1);
});
