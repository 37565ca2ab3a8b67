/**
 * The durable stream: every entry for this user exactly once and in order, whatever the network does.
 *
 * It reconnects with full jitter, honors Retry-After and `retry:`, loads a new snapshot after `reset`, and polls
 * while the stream is silent or buffered on the way.
 */
import { delay } from './backoff';
import type { EntrySource, EntrySourceOptions, StreamState } from './entry-source';
import { StreamReceiver } from './stream-receiver';
import { Polling } from './polling';
import { Problem, unreachable } from './problem';
import { type ConnectionEnd, readStream } from './stream-connection';
import { TIMINGS, type Timings } from './timings';

export interface StreamOptions extends EntrySourceOptions {
  /** The snapshot's cursor. Without one the stream starts by loading a snapshot. */
  cursor?: string;
  /** The cursor moved without an entry: no entry up to there is for this user. */
  onAdvance?(): void;
}

export class DurableStream implements EntrySource {
  protected readonly receiver: StreamReceiver;
  private readonly polling: Polling;
  private snapshotReason: string | null;
  private current: StreamState = { name: 'stopped' };
  /** The reason to poll instead of trusting a stream. */
  private distrust: 'buffered' | 'stalled' | null = null;
  private failures = 0;
  private silences = 0;
  private stopping = new AbortController();
  private connection = new AbortController();
  private endWait: () => void = () => undefined;
  protected readonly timings: Timings;
  private readonly random: () => number;

  constructor(private readonly options: StreamOptions) {
    const { url, headers = () => ({}), cursor } = options;
    const timings = (this.timings = { ...TIMINGS, ...options.timings });
    this.random = options.random ?? Math.random;
    this.snapshotReason = cursor === undefined ? 'new' : null;
    const hooks = {
      getState: () => this.current,
      setState: (state: StreamState) => this.setState(state),
      onAdvance: () => options.onAdvance?.(),
      onReady: () => void (this.failures = 0),
      onBeat: () => this.onBeat(),
    };
    this.receiver = new StreamReceiver({ ...options, ...hooks, timings }, cursor ?? null);
    this.polling = new Polling({
      ...{ url, headers, timings, receiver: this.receiver },
      openStream: (signal, onReady) => this.openStream(signal, onReady),
      onPolled: () => this.onPolled(),
      onRecovered: () => void ([this.distrust, this.silences] = [null, 1]),
    });
  }

  start(): void {
    this.stopping = new AbortController();
    void this.run(this.stopping.signal);
  }

  stop(): void {
    this.stopping.abort();
    this.connection.abort();
    this.endWait();
    this.setState({ name: 'stopped' });
  }

  /** Try again at once. An open connection that has long been silent is closed as well. */
  wake(): void {
    this.endWait();
    if (Date.now() - this.receiver.lastReceivedAt > this.timings.silence / 2) this.connection.abort();
  }

  get cursor(): string | null {
    return this.receiver.cursor;
  }

  reportStall(): void {
    if (this.current.name !== 'live' && this.current.name !== 'behind') return;
    this.distrust = 'stalled';
    this.connection.abort();
  }

  resync(): void {
    this.snapshotReason = 'renewed';
    this.connection.abort();
  }

  dropConnection(): void {
    this.connection.abort();
  }

  private async run(stopping: AbortSignal): Promise<void> {
    this.setState({ name: 'connecting' });
    while (!stopping.aborted) {
      this.connection = new AbortController();
      this.receiver.lastReceivedAt = Date.now();
      const end = await this.attempt(this.connection.signal);
      this.connection.abort();
      this.receiver.endConnection();
      if (stopping.aborted) return;
      if (end.kind === 'failed' && end.problem.status === 401) return this.setState({ name: 'refused' });
      await this.wait(this.afterEnd(end));
    }
  }

  /** Load a snapshot if one is due, then stream or poll until either ends. */
  private async attempt(signal: AbortSignal): Promise<ConnectionEnd> {
    if (this.snapshotReason !== null) {
      try {
        this.receiver.resetTo(await this.options.loadSnapshot(this.snapshotReason));
        this.snapshotReason = null;
      } catch (error) {
        return { kind: 'failed', problem: error instanceof Problem ? error : unreachable() };
      }
    }
    if (!this.distrust) return this.openStream(signal);
    const end = await this.polling.run(signal);
    // where polling does not work either, a stream is as good a guess
    if (end.kind === 'failed' && this.current.name !== 'polling') this.distrust = null;
    return end;
  }

  /** Open one connection at the cursor, and read it to its end. */
  protected openStream(signal: AbortSignal, onReady?: () => void): Promise<ConnectionEnd> {
    const { url, headers } = this.options;
    const request = { url, headers: () => ({ ...headers?.(), 'Last-Event-ID': this.cursor ?? '' }), signal };
    return readStream(request, this.timings, this.receiver.handler(onReady));
  }

  private onPolled(): void {
    this.failures = 0;
    this.setState({ name: 'polling', why: this.distrust ?? 'buffered' });
  }

  private onBeat(): void {
    this.silences = 0;
    this.polling.resetProbes();
  }

  /** Decide what follows from an end. Return the milliseconds to wait before the next attempt. */
  private afterEnd(end: ConnectionEnd): number {
    const backoff = { ...this.timings.backoff, first: this.receiver.retryDelay };
    if (end.kind === 'failed') {
      const wait = delay(this.failures++, backoff, this.random(), end.problem.retryAfter);
      this.setState({ name: 'offline', problem: end.problem, retryAt: Date.now() + wait });
      return wait;
    }
    if (end.kind === 'reset') this.snapshotReason = end.reason;
    if (end.kind === 'silent') this.onSilence();
    this.setState({ name: 'connecting', ...(end.kind === 'bye' && end.reason === 'drain' && { draining: true }) });
    return end.kind === 'silent' || this.distrust ? 0 : delay(0, backoff, this.random());
  }

  private onSilence(): void {
    const neverReady = this.current.name === 'connecting' || this.current.name === 'offline';
    // silent twice after a `ready`: something on the way lets the beginning through and holds back the rest
    if (neverReady) this.distrust = 'buffered';
    else this.distrust = ++this.silences > 1 ? 'stalled' : null;
  }

  private wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private setState(state: StreamState): void {
    const unchanged = state.name === this.current.name && state.name !== 'offline' && state.name !== 'behind';
    if (unchanged) return;
    this.current = state;
    this.options.onState?.(state);
  }
}
