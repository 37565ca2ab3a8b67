/** Tabs of one browser share one stream, and hand it over without a gap or a repeat. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, Peer } from '../testing/fake-server';
import { LocksPeer } from '../testing/fake-locks';
import { SharedStream } from './shared-stream';
import { Tabs } from './tabs';

const timings = { backoff: { first: 10, most: 20 }, quiet: 5, readyWithin: 1_000 };

let peer: Peer;
let locks: LocksPeer;
let open: Tab[];
let name: string;

/** One tab: what it heard, and how to be rid of it. */
class Tab {
  readonly heard: string[] = [];
  readonly snapshots: string[] = [];
  state = '';
  readonly tabs = new Tabs({ name, locks, silence: 400, answerWithin: 150 });
  readonly stream = new SharedStream(this.tabs, {
    url: peer.url,
    timings,
    resnapshot: (reason) => {
      this.snapshots.push(reason);
      return Promise.resolve(peer.cursor);
    },
    entry: (entry) => this.heard.push((entry.data as { body: string }).body),
    state: (state) => (this.state = state.name),
  });

  constructor() {
    open.push(this);
    this.stream.start();
  }

  /** Nothing it says is heard any more, and it hears nothing; the locks it holds stay held. */
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

const streams = () => peer.open.size;
const leader = () => open.find((tab) => tab.tabs.leads);
const said = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `${from + n}`);

beforeEach(async () => {
  [peer, locks, open, name] = [new Peer(), new LocksPeer(), [], `test ${Math.random()}`];
  await peer.listen();
});

afterEach(async () => {
  for (const tab of open) tab.stream.stop();
  await peer.kill();
});

test('one stream brings everything to all tabs, once and in order', async () => {
  const tabs = await opens(4);
  for (const body of said(0, 50)) peer.says(body);
  await eventually(() => tabs.every((tab) => tab.heard.length === 50));
  for (const tab of tabs) expect(tab.heard).toEqual(said(0, 50));
  expect([streams(), open.filter((tab) => tab.tabs.leads).length]).toEqual([1, 1]);
});

test('when the leader goes in the middle of a burst, another resumes: nothing is lost or told twice', async () => {
  const tabs = await opens(3);
  for (let n = 0; n < 90; n++) {
    peer.says(`${n}`);
    if (n % 30 === 15) leader()?.stream.stop();
    if (n % 30 === 15) open = open.filter((tab) => tab.state !== 'stopped');
    if (n % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    if (open.length === 1) break;
  }
  const [last] = open as [Tab];
  for (const body of said(46, 90)) peer.says(body);
  await eventually(() => last.heard.length === 90);
  expect(last.heard).toEqual(said(0, 90));
  expect(last.snapshots).toEqual(['new']);
  for (const tab of tabs) expect(tab.heard).toEqual(said(0, tab.heard.length));
  expect(streams()).toBe(1);
});

test('a leader that hangs is asked, and replaced', async () => {
  const [first, second, third] = (await opens(3)) as [Tab, Tab, Tab];
  peer.says('0');
  await eventually(() => third.heard.length === 1);
  first.freezes();
  peer.says('1');
  await eventually(() => second.tabs.leads || third.tabs.leads);
  peer.says('2');
  await eventually(() => [second, third].every((tab) => tab.heard.length === 3));
  expect([second.heard, third.heard]).toEqual([said(0, 3), said(0, 3)]);
  await eventually(() => !first.tabs.leads && streams() === 1);
});

test('a tab that slept through some of it fetches what it missed, and no more', async () => {
  const [, second] = (await opens(2)) as [Tab, Tab];
  const inside = second.tabs as unknown as { channel: BroadcastChannel };
  const hear = inside.channel.onmessage;
  inside.channel.onmessage = null;
  for (const body of said(0, 20)) peer.says(body);
  await eventually(() => open[0]?.heard.length === 20);
  inside.channel.onmessage = hear;
  peer.says('20');
  await eventually(() => second.heard.length === 21);
  expect(second.heard).toEqual(said(0, 21));
  expect([second.snapshots, second.state]).toEqual([['new'], 'live']);
});

test('a restored log is read anew by every tab', async () => {
  const tabs = await opens(3);
  peer.epoch = 'e2';
  peer.cuts();
  await eventually(() => tabs.every((tab) => tab.snapshots.length === 2));
  peer.says('fresh');
  await eventually(() => tabs.every((tab) => tab.heard.at(-1) === 'fresh'));
});

test('a login that ended ends all tabs', async () => {
  const tabs = await opens(3);
  peer.refusal = { status: 401 };
  peer.cuts();
  await eventually(() => tabs.every((tab) => tab.state === 'refused'));
});
