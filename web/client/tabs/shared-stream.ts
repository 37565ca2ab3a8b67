/**
 * One stream for all tabs. The leader reads it and hands every entry on; each tab keeps a cursor of its own,
 * so that whoever leads next resumes exactly where it stands itself: what it has is dropped, what it lacks
 * is brought.
 */
import type { Entry } from '../entry';
import type { Feed, FeedOptions, StreamState } from '../entry-source';
import { Place } from '../cursor';
import { fieldsOf, Problem } from '../problem';
import { DurableStream } from '../stream';
import { Following } from './follower-stream';
import type { Batch, ToldState } from './messages';
import type { Tabs } from './tabs';

/** Reasons for a snapshot that concern this tab alone. */
const OWN = ['new', 'renewed'];

export class SharedStream implements Feed {
  private place: Place | null = null;
  private stream: DurableStream | null = null;
  private following: Following | null = null;
  private reading: Promise<string> | null = null;
  private batch: Batch | null = null;
  private led: StreamState = { name: 'connecting' };
  private running = false;

  constructor(
    private readonly tabs: Tabs,
    private readonly options: FeedOptions,
  ) {
    tabs.onRole((leads) => this.running && this.turn(leads));
    tabs.on('hello', (_, from) => this.stream && this.welcome(from));
    tabs.on('entries', (batch) => this.running && this.follow().take(batch));
    tabs.on('state', (state) => this.running && this.heed(state));
    tabs.on('reset', (reason) => this.running && void this.follow().catchUp(reason));
    tabs.on('wake', () => this.stream?.wake());
  }

  get cursor(): string | null {
    return this.place?.cursor ?? null;
  }

  start(): void {
    this.running = true;
    this.say({ name: 'connecting' });
    this.tabs.start();
    if (this.tabs.leads) this.turn(true);
  }

  stop(): void {
    this.running = false;
    this.turn(false);
    this.following?.stop();
    this.tabs.stop();
    this.options.state?.({ name: 'stopped' });
  }

  wake(): void {
    this.stream?.wake();
    this.following?.wake();
    if (this.stream) return;
    this.tabs.tell('wake', null);
    this.tabs.doubt();
  }

  cut(): void {
    this.stream?.cut();
  }

  doubt(): void {
    this.stream?.doubt();
  }

  renew(): void {
    if (this.stream) this.stream.renew();
    else void this.follow().catchUp('renewed');
  }

  private turn(leads: boolean): void {
    this.stream?.stop();
    this.stream = null;
    if (!leads) return;
    // one that was just fetching what it missed reads a snapshot: half of it may be here
    const cursor = this.following?.catchesUp ? null : this.cursor;
    this.following?.stop();
    this.following = null;
    this.stream = new DurableStream({
      ...this.options,
      ...(cursor !== null && { cursor }),
      resnapshot: (reason) => this.snapshot(reason),
      entry: (entry) => this.bring(entry),
      moved: () => this.move(),
      state: (state) => state.name !== 'stopped' && this.lead(state),
    });
    this.stream.start();
  }

  /** A tab that takes what the leader tells; one that has nothing yet begins with a snapshot. */
  private follow(): Following {
    if (this.following) return this.following;
    this.following = new Following({
      ...this.options,
      place: () => this.place,
      snapshot: async (reason) => void (await this.snapshot(reason)),
      state: (state) => this.say(state),
      caughtUp: () => this.say(this.led),
    });
    if (!this.place) void this.following.catchUp('new');
    return this.following;
  }

  private heed(told: ToldState): void {
    this.led = told.name === 'offline' ? { ...told, problem: new Problem(told.problem) } : told;
    if (this.led.name === 'refused' || !this.follow().catchesUp) this.say(this.led);
  }

  private lead(state: StreamState): void {
    this.led = state;
    this.tabs.tell('state', plain(state));
    this.say(state);
  }

  private welcome(tab: string): void {
    this.tabs.tell('state', plain(this.led), tab);
    this.tabs.tell('entries', { from: this.cursor, to: this.cursor, entries: [] }, tab);
  }

  private async snapshot(reason: string): Promise<string> {
    if (this.stream && !OWN.includes(reason)) this.tabs.tell('reset', reason);
    this.reading ??= this.options.resnapshot(reason).finally(() => (this.reading = null));
    const cursor = await this.reading;
    this.place = new Place(cursor);
    return cursor;
  }

  private bring(entry: Entry): void {
    const from = this.cursor;
    if (!this.place?.pass(entry.id)) return;
    this.gather(from).entries.push(entry);
    this.options.entry(entry);
  }

  /** The stream has come further without an entry. */
  private move(): void {
    const from = this.cursor;
    if (this.stream?.cursor && this.place?.pass(this.stream.cursor)) this.gather(from);
  }

  /** What comes together is told together. */
  private gather(from: string | null): Batch {
    if (this.batch) return this.batch;
    this.batch = { from, to: null, entries: [] };
    queueMicrotask(() => {
      if (this.batch) this.tabs.tell('entries', { ...this.batch, to: this.cursor });
      this.batch = null;
    });
    return this.batch;
  }

  private say(state: StreamState): void {
    if (this.running) this.options.state?.(state);
  }
}

const plain = (state: StreamState): ToldState =>
  state.name === 'offline' ? { ...state, problem: fieldsOf(state.problem) } : state;
