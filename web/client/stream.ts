/**
 * The durable stream: every entry addressed to this person exactly once and in order, whatever the network
 * does.
 *
 * It keeps the cursor, drops what it passed before, reconnects with full jitter, honours Retry-After and
 * `retry:`, reads a new snapshot after `reset`, and polls while the stream is silent or buffered on the way,
 * probing until that heals. (Longer than most files: the transitions between the states are only clear side
 * by side.)
 */
import { delay } from './backoff';
import { type Entry, isNotice, type Notice } from './entry';
import type { Feed, FeedOptions, StreamState } from './feed';
import { Place } from './place';
import { Problem, unreachable } from './problem';
import { type End, type Listener, pollOnce, readStream } from './reading';
import { TIMINGS, type Timings } from './timings';

export interface StreamOptions extends FeedOptions {
  /** The snapshot's cursor; without one the stream begins by asking for a snapshot. */
  cursor?: string;
  /** The cursor went on without an entry: nothing up to there is addressed to this person. */
  moved?(): void;
}

const foreign: End = { kind: 'reset', reason: 'other_epoch' };

export class DurableStream implements Feed {
  private place: Place;
  private stale: string | null;
  private current: StreamState = { name: 'stopped' };
  private buffered = false;
  private failures = 0;
  private silences = 0;
  /** Milliseconds from one probe to the next; only a stream that has proved whole lets it begin anew. */
  private probeEvery: number;
  private heardAt = 0;
  private retry: number;
  private quiet: ReturnType<typeof setTimeout> | undefined;
  private ending = new AbortController();
  private connection = new AbortController();
  private goOn: () => void = () => undefined;
  private readonly timings: Timings;
  private readonly random: () => number;

  constructor(private readonly options: StreamOptions) {
    this.timings = { ...TIMINGS, ...options.timings };
    this.random = options.random ?? Math.random;
    this.retry = this.timings.backoff.first;
    this.probeEvery = this.timings.probeAfter;
    this.place = new Place(options.cursor ?? null);
    this.stale = options.cursor === undefined ? 'new' : null;
  }

  start(): void {
    this.ending = new AbortController();
    void this.run(this.ending.signal);
  }

  stop(): void {
    this.ending.abort();
    this.connection.abort();
    this.goOn();
    this.say({ name: 'stopped' });
  }

  /**
   * Tries at once: the network is back, the person returned. An open connection that has long been silent is
   * cut.
   */
  wake(): void {
    this.goOn();
    if (Date.now() - this.heardAt > this.timings.silence / 2) this.connection.abort();
  }

  /** How far this client has come. */
  get cursor(): string | null {
    return this.place.cursor;
  }

  /** A witness knows of entries that this connection has not brought: it is held back on the way. */
  doubt(): void {
    if (this.current.name !== 'live' && this.current.name !== 'behind') return;
    this.buffered = true;
    this.connection.abort();
  }

  /** Reads the snapshot again and goes on from there: something could not be learnt from an entry alone. */
  renew(): void {
    this.stale = 'renewed';
    this.connection.abort();
  }

  /** The network is known to be gone: no longer believe in the open connection. */
  cut(): void {
    this.connection.abort();
  }

  private async run(ending: AbortSignal): Promise<void> {
    this.say({ name: 'connecting' });
    while (!ending.aborted) {
      this.connection = new AbortController();
      this.heardAt = Date.now();
      const end = await this.attempt(this.connection.signal);
      this.connection.abort();
      clearTimeout(this.quiet);
      if (ending.aborted) return;
      if (end.kind === 'failed' && end.problem.status === 401) return this.say({ name: 'refused' });
      await this.rest(this.settle(end));
    }
  }

  /** A snapshot if one is due, then the stream or the polling until either ends. */
  private async attempt(signal: AbortSignal): Promise<End> {
    if (this.stale !== null) {
      try {
        this.place = new Place(await this.options.resnapshot(this.stale));
        this.stale = null;
      } catch (error) {
        return { kind: 'failed', problem: error instanceof Problem ? error : unreachable() };
      }
    }
    return this.buffered ? this.poll(signal) : this.read(signal);
  }

  private read(signal: AbortSignal, onReady?: () => void): Promise<End> {
    const { url, headers } = this.options;
    const asked = { url, headers: { ...headers, 'Last-Event-ID': this.place.cursor ?? '' }, signal };
    return readStream(asked, this.timings, this.listener(onReady));
  }

  /**
   * Polls until that fails or a probe finds the stream healed; probes run beside it, so that nothing waits
   * for them.
   */
  private async poll(signal: AbortSignal): Promise<End> {
    const polling = new AbortController();
    let healed: Promise<End> | null = null;
    let probing = false;
    let probeAt = Date.now() + this.probeEvery;
    const probe = async () => {
      probing = true;
      const stream = this.read(signal, () => {
        healed = stream;
        [this.buffered, this.silences] = [false, 1];
        polling.abort();
      });
      this.probeEvery = Math.min(this.probeEvery * 2, 600_000);
      await stream;
      [probing, probeAt] = [false, Date.now() + this.probeEvery];
    };
    const both = AbortSignal.any([signal, polling.signal]);
    for (let seconds = 1; ; seconds = this.timings.poll) {
      const answer = await this.pollFor(seconds, both);
      if (healed) return healed;
      if (answer) return answer;
      if (!probing && Date.now() >= probeAt) void probe();
    }
  }

  /**
   * One long-poll of so many seconds; the first is short, so that it soon shows whether polling works at all.
   */
  private async pollFor(seconds: number, signal: AbortSignal): Promise<End | null> {
    const url = `${this.options.url}?poll=${seconds}&after=${encodeURIComponent(this.place.cursor ?? '')}`;
    const asked = { url, headers: this.options.headers ?? {}, signal };
    const answer = await pollOnce(asked, (seconds + 10) * 1000, this.listener());
    if (typeof answer !== 'string') {
      if (answer.kind === 'failed' && this.current.name !== 'polling') this.buffered = false;
      return answer;
    }
    if (!this.pass(answer)) return foreign;
    [this.failures, this.heardAt] = [0, Date.now()];
    this.say({ name: 'polling' });
    return null;
  }

  private listener(onReady?: () => void): Listener {
    return {
      retry: (milliseconds) => void (this.retry = milliseconds),
      hear: (told) => {
        this.heardAt = Date.now();
        return isNotice(told) ? this.notice(told, onReady) : this.entry(told);
      },
    };
  }

  private entry(entry: Entry): End | undefined {
    const ahead = this.place.pass(entry.id);
    if (ahead === null) return foreign;
    if (ahead) this.options.entry(entry);
    if (this.current.name === 'behind') this.awaitQuiet();
    return undefined;
  }

  private notice(notice: Notice, onReady?: () => void): End | undefined {
    if (notice.event === 'reset' || notice.event === 'bye')
      return { kind: notice.event, reason: notice.reason };
    if (notice.cursor !== null && !this.pass(notice.cursor)) return foreign;
    if (notice.event === 'ready') {
      this.failures = 0;
      onReady?.();
      this.say({ name: 'behind' });
      this.awaitQuiet();
    } else {
      [this.silences, this.probeEvery] = [0, this.timings.probeAfter];
      this.caughtUp();
    }
    return undefined;
  }

  /** Goes on to a cursor at which nothing stands; false when it is of another log. */
  private pass(cursor: string): boolean {
    const passed = this.place.pass(cursor);
    if (passed) this.options.moved?.();
    return passed !== null;
  }

  private awaitQuiet(): void {
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.caughtUp(), this.timings.quiet);
  }

  private caughtUp(): void {
    clearTimeout(this.quiet);
    if (this.current.name === 'behind') this.say({ name: 'live' });
  }

  /** Draws the conclusions from an end; returns the milliseconds to wait before the next attempt. */
  private settle(end: End): number {
    const backoff = { ...this.timings.backoff, first: this.retry };
    if (end.kind === 'failed') {
      const wait = delay(this.failures++, backoff, this.random(), end.problem.retryAfter);
      this.say({ name: 'offline', problem: end.problem, retryAt: Date.now() + wait });
      return wait;
    }
    if (end.kind === 'reset') this.stale = end.reason;
    if (end.kind === 'silent') {
      const neverReady = this.current.name === 'connecting' || this.current.name === 'offline';
      // twice silent after a `ready`: something on the way lets the beginning through and holds back the rest
      this.buffered = neverReady || ++this.silences > 1;
    }
    this.say({ name: 'connecting' });
    return end.kind === 'silent' || this.buffered ? 0 : delay(0, backoff, this.random());
  }

  private rest(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.goOn = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private say(state: StreamState): void {
    if (state.name === this.current.name && state.name !== 'offline') return;
    this.current = state;
    this.options.state?.(state);
  }
}
