/** Tabs of one browser share one stream, and hand it over without a gap or a repeat. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Position } from '../cursor';
import type { Entry } from '../entry';
import { eventually, FakeServer } from '../testing/fake-server';
import { FakeLocks } from '../testing/fake-locks';
import { FollowerStream } from './follower-stream';
import type { Leadership } from './leadership';
import { SharedStream } from './shared-stream';
import { Tabs } from './tabs';

const timings = { backoff: { first: 10, most: 20 }, quiet: 5, readyWithin: 1_000 };

let server: FakeServer;
let locks: FakeLocks;
let open: Tab[];
let name: string;

/** One tab, with what it received. */
class Tab {
  readonly received: string[] = [];
  readonly snapshots: string[] = [];
  state = '';
  readonly tabs = new Tabs({ name, locks, silence: 400, answerWithin: 150 });
  readonly stream = new SharedStream(this.tabs, {
    url: server.url,
    timings,
    loadSnapshot: (reason) => {
      this.snapshots.push(reason);
      return Promise.resolve(server.cursor);
    },
    onEntry: (entry) => this.received.push((entry.data as { body: string }).body),
    onState: (state) => (this.state = state.name),
  });

  constructor() {
    open.push(this);
    this.stream.start();
  }

  /** Cut the tab off: its messages reach no other tab, and it gets none. It keeps its locks. */
  freezes(): void {
    const inside = this.tabs as unknown as { channel: BroadcastChannel };
    inside.channel.close();
    inside.channel = { postMessage: () => undefined, close: () => undefined } as unknown as BroadcastChannel;
  }
}

async function opens(count: number): Promise<Tab[]> {
  const made: Tab[] = [];
  for (let n = 0; n < count; n++) {
    const tab = new Tab();
    await eventually(() => tab.state === 'live');
    made.push(tab);
  }
  return made;
}

const streams = () => server.open.size;
const leader = () => open.find((tab) => tab.tabs.leads);
const bodies = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `${from + n}`);

beforeEach(async () => {
  [server, locks, open, name] = [new FakeServer(), new FakeLocks(), [], `test ${Math.random()}`];
  await server.listen();
});

afterEach(async () => {
  for (const tab of open) tab.stream.stop();
  await server.kill();
});

test('one stream brings everything to all tabs, once and in order', async () => {
  const tabs = await opens(4);
  for (const body of bodies(0, 50)) server.says(body);
  await eventually(() => tabs.every((tab) => tab.received.length === 50));
  for (const tab of tabs) expect(tab.received).toEqual(bodies(0, 50));
  expect([streams(), open.filter((tab) => tab.tabs.leads).length]).toEqual([1, 1]);
});

test('when the leader closes in the middle of a burst, another tab resumes without a gap or a repeat', async () => {
  const tabs = await opens(3);
  for (let n = 0; n < 90; n++) {
    server.says(`${n}`);
    if (n % 30 === 15) leader()?.stream.stop();
    if (n % 30 === 15) open = open.filter((tab) => tab.state !== 'stopped');
    if (n % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    if (open.length === 1) break;
  }
  const [last] = open as [Tab];
  for (const body of bodies(46, 90)) server.says(body);
  await eventually(() => last.received.length === 90);
  expect(last.received).toEqual(bodies(0, 90));
  expect(last.snapshots).toEqual(['new']);
  for (const tab of tabs) expect(tab.received).toEqual(bodies(0, tab.received.length));
  expect(streams()).toBe(1);
});

test('a leader that hangs is asked for a sign of life and replaced', async () => {
  const [first, second, third] = (await opens(3)) as [Tab, Tab, Tab];
  server.says('0');
  await eventually(() => third.received.length === 1);
  first.freezes();
  server.says('1');
  await eventually(() => second.tabs.leads || third.tabs.leads);
  server.says('2');
  await eventually(() => [second, third].every((tab) => tab.received.length === 3));
  expect([second.received, third.received]).toEqual([bodies(0, 3), bodies(0, 3)]);
  await eventually(() => !first.tabs.leads && streams() === 1);
});

test('a tab that missed batches loads only what it missed', async () => {
  const [, second] = (await opens(2)) as [Tab, Tab];
  const inside = second.tabs as unknown as { channel: BroadcastChannel };
  const onmessage = inside.channel.onmessage;
  inside.channel.onmessage = null;
  for (const body of bodies(0, 20)) server.says(body);
  await eventually(() => open[0]?.received.length === 20);
  inside.channel.onmessage = onmessage;
  server.says('20');
  await eventually(() => second.received.length === 21);
  expect(second.received).toEqual(bodies(0, 21));
  expect([second.snapshots, second.state]).toEqual([['new'], 'live']);
});

test('a new leader that is behind the other tabs repeats nothing to them', async () => {
  const [, second, third] = (await opens(3)) as [Tab, Tab, Tab];
  const inside = second.tabs as unknown as { channel: BroadcastChannel };
  const { onmessage } = inside.channel;
  inside.channel.onmessage = null;
  for (const body of bodies(0, 20)) server.says(body);
  await eventually(() => third.received.length === 20);
  inside.channel.onmessage = onmessage;
  leader()?.stream.stop();
  await eventually(() => second.tabs.leads && second.received.length === 20);
  server.says('20');
  await eventually(() => [second, third].every((tab) => tab.received.length >= 21));
  expect([second.received, third.received]).toEqual([bodies(0, 21), bodies(0, 21)]);
});

test('a tab takes from a batch only what is ahead of it', () => {
  const [position, received]: [Position, string[]] = [new Position('e1.5'), []];
  const follower = new FollowerStream({
    url: server.url,
    position: () => position,
    loadSnapshot: () => Promise.resolve(''),
    resnapshot: () => Promise.resolve(),
    onEntry: (entry) => received.push(entry.id),
    onState: () => undefined,
    onCaughtUp: () => undefined,
  });
  const entries = ['e1.3', 'e1.5', 'e1.8'].map((id) => ({ event: 'message', id, data: {} }) as Entry);
  follower.take({ from: 'e1.2', to: 'e1.9', entries });
  follower.take({ from: 'e1.2', to: 'e1.9', entries });
  expect([received, position.cursor]).toEqual([['e1.8'], 'e1.9']);
  follower.stop();
});

test('a leader ignores another leader, and loads what it missed when it follows', async () => {
  const [first, second] = (await opens(2)) as [Tab, Tab];
  const other = new BroadcastChannel(name);
  const publish = (body: string, from: string, to: string) => {
    const entries = [{ event: 'message', id: to, data: { body } }];
    other.postMessage({ from: 'other', to: null, leads: true, topic: 'entries', data: { from, to, entries } });
  };
  server.says('0');
  await eventually(() => [first, second].every((tab) => tab.received.length === 1));
  publish('1', 'e1.3', 'e1.6');
  await eventually(() => second.received.length === 2);
  server.says('1');
  server.says('2');
  await eventually(() => [first, second].every((tab) => tab.received.length >= 3));
  expect([first.received, second.received]).toEqual([bodies(0, 3), bodies(0, 3)]);

  server.streams = 'mute';
  server.says('3');
  publish('3', 'e1.9', 'e1.12');
  await eventually(() => second.received.length === 4);
  (second.tabs as unknown as { leadership: Leadership }).leadership.steal();
  await eventually(() => first.received.length === 4);
  expect([first.tabs.leads, first.received]).toEqual([false, bodies(0, 4)]);
  other.close();
});

test('every tab loads the snapshot again after the log was restored', async () => {
  const tabs = await opens(3);
  server.epoch = 'e2';
  server.cuts();
  await eventually(() => tabs.every((tab) => tab.snapshots.length === 2));
  server.says('fresh');
  await eventually(() => tabs.every((tab) => tab.received.at(-1) === 'fresh'));
});

test('no tab loads the snapshot again after a fail-over that lost nothing', async () => {
  const tabs = await opens(3);
  server.says('before');
  await eventually(() => tabs.every((tab) => tab.received.at(-1) === 'before'));
  server.earlier = [server.epoch];
  server.epoch = 'e2';
  server.cuts();
  server.says('after');
  await eventually(() => tabs.every((tab) => tab.received.at(-1) === 'after'));
  expect(tabs.map((tab) => [tab.snapshots.length, tab.received.length])).toEqual([
    [1, 2],
    [1, 2],
    [1, 2],
  ]);
});

test('an ended session stops all tabs', async () => {
  const tabs = await opens(3);
  server.errorAnswer = { status: 401 };
  server.cuts();
  await eventually(() => tabs.every((tab) => tab.state === 'refused'));
});
