/**
 * One stream for all tabs. The leader reads it and publishes its entries in batches. Each tab keeps its own cursor,
 * so that the next leader resumes exactly at its own position, without a gap or a repeat.
 */
import type { Entry } from '../entry';
import type { EntrySource, EntrySourceOptions, StreamState } from '../entry-source';
import { Position } from '../cursor';
import { fieldsOf, Problem } from '../problem';
import { DurableStream } from '../stream';
import { FollowerStream } from './follower-stream';
import type { Batch, SerializedState } from './messages';
import type { Tabs } from './tabs';

/** Reasons for a snapshot that concern only this tab. */
const TAB_ONLY_REASONS = ['new', 'renewed'];

export class SharedStream implements EntrySource {
  private position: Position | null = null;
  private stream: DurableStream | null = null;
  private follower: FollowerStream | null = null;
  private snapshotLoading: Promise<string> | null = null;
  private batch: Batch | null = null;
  private leaderState: StreamState = { name: 'connecting' };
  private running = false;
  /** True after another tab led at the same time as this one. */
  private overtaken = false;

  constructor(
    private readonly tabs: Tabs,
    private readonly options: EntrySourceOptions,
  ) {
    tabs.onRole((leads) => this.running && this.setRole(leads));
    tabs.on('hello', (_, from) => this.stream && this.greetTab(from));
    tabs.on('entries', (batch) => this.follows() && this.getFollower().take(batch));
    tabs.on('state', (state) => this.follows() && this.takeLeaderState(state));
    tabs.on('reset', (reason) => this.follows() && void this.getFollower().catchUp(reason));
    tabs.on('wake', () => this.stream?.wake());
  }

  get cursor(): string | null {
    return this.position?.cursor ?? null;
  }

  start(): void {
    this.running = true;
    this.setState({ name: 'connecting' });
    this.tabs.start();
    if (this.tabs.leads) this.setRole(true);
  }

  stop(): void {
    this.running = false;
    this.setRole(false);
    this.follower?.stop();
    this.tabs.stop();
    this.options.onState?.({ name: 'stopped' });
  }

  wake(): void {
    this.stream?.wake();
    this.follower?.wake();
    if (this.stream) return;
    this.tabs.send('wake', null);
    this.tabs.checkLeader();
  }

  dropConnection(): void {
    this.stream?.dropConnection();
  }

  reportStall(): void {
    this.stream?.reportStall();
  }

  resync(): void {
    if (this.stream) this.stream.resync();
    else void this.getFollower().catchUp('renewed');
  }

  /**
   * Return true if this tab takes a leader's message. A tab that leads ignores other leaders: for a moment there
   * are two when a tab that hung runs again. It loads what it missed when it follows.
   */
  private follows(): boolean {
    if (this.stream) this.overtaken = true;
    return this.running && !this.stream;
  }

  private setRole(leads: boolean): void {
    this.stream?.stop();
    this.stream = null;
    const overtaken = this.overtaken;
    this.overtaken = false;
    if (!leads && overtaken && this.running) void this.getFollower().catchUp(null);
    if (!leads) return;
    // a tab that was loading missed entries reads a snapshot, because it may have only a part of them
    const cursor = this.follower?.isCatchingUp ? null : this.cursor;
    this.follower?.stop();
    this.follower = null;
    const stream: DurableStream = new DurableStream({
      ...this.options,
      ...(cursor !== null && { cursor }),
      loadSnapshot: (reason) => this.loadSnapshot(reason),
      onEntry: (entry) => this.stream === stream && this.publishEntry(entry),
      onAdvance: () => this.stream === stream && this.publishAdvance(),
      onState: (state) => state.name !== 'stopped' && this.publishState(state),
    });
    this.stream = stream;
    stream.start();
  }

  /** Return the stream of a tab that follows. A tab without a position starts with a snapshot. */
  private getFollower(): FollowerStream {
    if (this.follower) return this.follower;
    this.follower = new FollowerStream({
      ...this.options,
      position: () => this.position,
      resnapshot: async (reason) => void (await this.loadSnapshot(reason)),
      onState: (state) => this.setState(state),
      onCaughtUp: () => this.setState(this.leaderState),
    });
    if (!this.position) void this.follower.catchUp('new');
    return this.follower;
  }

  private takeLeaderState(state: SerializedState): void {
    this.leaderState = state.name === 'offline' ? { ...state, problem: new Problem(state.problem) } : state;
    if (this.leaderState.name === 'refused' || !this.getFollower().isCatchingUp) this.setState(this.leaderState);
  }

  private publishState(state: StreamState): void {
    this.leaderState = state;
    this.tabs.send('state', serializeState(state));
    this.setState(state);
  }

  private greetTab(tab: string): void {
    this.tabs.send('state', serializeState(this.leaderState), tab);
    this.tabs.send('entries', { from: this.cursor, to: this.cursor, entries: [] }, tab);
  }

  private async loadSnapshot(reason: string): Promise<string> {
    if (this.stream && !TAB_ONLY_REASONS.includes(reason)) this.tabs.send('reset', reason);
    this.snapshotLoading ??= this.options.loadSnapshot(reason).finally(() => (this.snapshotLoading = null));
    const cursor = await this.snapshotLoading;
    this.position = new Position(cursor);
    return cursor;
  }

  /** Publish an entry. The stream starts at this tab's position and has already dropped repeated entries. */
  private publishEntry(entry: Entry): void {
    this.openBatch().entries.push(entry);
    this.position?.moveTo(entry.id);
    this.options.onEntry(entry);
  }

  /** Publish that the cursor moved without an entry. */
  private publishAdvance(): void {
    this.openBatch();
    if (this.stream?.cursor) this.position?.moveTo(this.stream.cursor);
  }

  /** Return the open batch. Entries that arrive together are sent together. */
  private openBatch(): Batch {
    if (this.batch) return this.batch;
    this.batch = { from: this.cursor, to: null, entries: [] };
    queueMicrotask(() => {
      if (this.batch) this.tabs.send('entries', { ...this.batch, to: this.cursor });
      this.batch = null;
    });
    return this.batch;
  }

  private setState(state: StreamState): void {
    if (this.running) this.options.onState?.(state);
  }
}

const serializeState = (state: StreamState): SerializedState =>
  state.name === 'offline' ? { ...state, problem: fieldsOf(state.problem) } : state;
