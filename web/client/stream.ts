/**
 * The durable stream: every entry addressed to this person exactly once and in order, whatever the network
 * does.
 *
 * It reconnects with full jitter, honours Retry-After and `retry:`, reads a new snapshot after `reset`, and
 * polls while the stream is silent or buffered on the way.
 */
import { delay } from './backoff';
import type { Feed, FeedOptions, StreamState } from './entry-source';
import { Hearing } from './stream-receiver';
import { Polling } from './polling';
import { Problem, unreachable } from './problem';
import { type End, readStream } from './stream-connection';
import { TIMINGS, type Timings } from './timings';

export interface StreamOptions extends FeedOptions {
  /** The snapshot's cursor; without one the stream begins by asking for a snapshot. */
  cursor?: string;
  /** The cursor went on without an entry: nothing up to there is addressed to this person. */
  moved?(): void;
}

export class DurableStream implements Feed {
  private readonly hearing: Hearing;
  private readonly polling: Polling;
  private stale: string | null;
  private current: StreamState = { name: 'stopped' };
  /** Why this stream cannot be believed in. */
  private held: 'buffered' | 'stalled' | null = null;
  private failures = 0;
  private silences = 0;
  private ending = new AbortController();
  private connection = new AbortController();
  private goOn: () => void = () => undefined;
  private readonly timings: Timings;
  private readonly random: () => number;

  constructor(private readonly options: StreamOptions) {
    const { url, headers = {}, cursor } = options;
    const timings = (this.timings = { ...TIMINGS, ...options.timings });
    this.random = options.random ?? Math.random;
    this.stale = cursor === undefined ? 'new' : null;
    const hooks = {
      state: () => this.current,
      say: (state: StreamState) => this.say(state),
      moved: () => options.moved?.(),
      ready: () => void (this.failures = 0),
      beat: () => this.proved(),
    };
    this.hearing = new Hearing({ ...options, ...hooks, timings }, cursor ?? null);
    this.polling = new Polling({
      ...{ url, headers, timings, hearing: this.hearing },
      read: (signal, onReady) => this.read(signal, onReady),
      polled: () => this.polled(),
      healed: () => void ([this.held, this.silences] = [null, 1]),
    });
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

  /** An open connection that has long been silent is cut, too. */
  wake(): void {
    this.goOn();
    if (Date.now() - this.hearing.heardAt > this.timings.silence / 2) this.connection.abort();
  }

  get cursor(): string | null {
    return this.hearing.cursor;
  }

  doubt(): void {
    if (this.current.name !== 'live' && this.current.name !== 'behind') return;
    this.held = 'stalled';
    this.connection.abort();
  }

  renew(): void {
    this.stale = 'renewed';
    this.connection.abort();
  }

  cut(): void {
    this.connection.abort();
  }

  private async run(ending: AbortSignal): Promise<void> {
    this.say({ name: 'connecting' });
    while (!ending.aborted) {
      this.connection = new AbortController();
      this.hearing.heardAt = Date.now();
      const end = await this.attempt(this.connection.signal);
      this.connection.abort();
      this.hearing.rest();
      if (ending.aborted) return;
      if (end.kind === 'failed' && end.problem.status === 401) return this.say({ name: 'refused' });
      await this.rest(this.settle(end));
    }
  }

  /** A snapshot if one is due, then the stream or the polling until either ends. */
  private async attempt(signal: AbortSignal): Promise<End> {
    if (this.stale !== null) {
      try {
        this.hearing.restart(await this.options.resnapshot(this.stale));
        this.stale = null;
      } catch (error) {
        return { kind: 'failed', problem: error instanceof Problem ? error : unreachable() };
      }
    }
    if (!this.held) return this.read(signal);
    const end = await this.polling.run(signal);
    // where polling does not work either, the stream is as good a guess
    if (end.kind === 'failed' && this.current.name !== 'polling') this.held = null;
    return end;
  }

  private read(signal: AbortSignal, onReady?: () => void): Promise<End> {
    const { url, headers } = this.options;
    const asked = { url, headers: { ...headers, 'Last-Event-ID': this.cursor ?? '' }, signal };
    return readStream(asked, this.timings, this.hearing.listener(onReady));
  }

  private polled(): void {
    this.failures = 0;
    this.say({ name: 'polling', why: this.held ?? 'buffered' });
  }

  private proved(): void {
    this.silences = 0;
    this.polling.calm();
  }

  /** Draws the conclusions from an end; returns the milliseconds to wait before the next attempt. */
  private settle(end: End): number {
    const backoff = { ...this.timings.backoff, first: this.hearing.retry };
    if (end.kind === 'failed') {
      const wait = delay(this.failures++, backoff, this.random(), end.problem.retryAfter);
      this.say({ name: 'offline', problem: end.problem, retryAt: Date.now() + wait });
      return wait;
    }
    if (end.kind === 'reset') this.stale = end.reason;
    if (end.kind === 'silent') this.fellSilent();
    this.say({ name: 'connecting', ...(end.kind === 'bye' && end.reason === 'drain' && { draining: true }) });
    return end.kind === 'silent' || this.held ? 0 : delay(0, backoff, this.random());
  }

  private fellSilent(): void {
    const neverReady = this.current.name === 'connecting' || this.current.name === 'offline';
    // twice silent after a `ready`: something on the way lets the beginning through and holds back the rest
    if (neverReady) this.held = 'buffered';
    else this.held = ++this.silences > 1 ? 'stalled' : null;
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
    const again = state.name === this.current.name && state.name !== 'offline' && state.name !== 'behind';
    if (again) return;
    this.current = state;
    this.options.state?.(state);
  }
}
