/**
 * The stream of a tab that follows. It takes the leader's batches that start at its position. What it missed (it
 * opened later, was frozen, or the leader changed) it loads once from the server.
 */
import { delay } from '../backoff';
import { compareCursors, type Position } from '../cursor';
import { type Entry, isControlEvent } from '../entry';
import type { EntrySourceOptions, StreamState } from '../entry-source';
import { asProblem, Problem } from '../problem';
import { type ConnectionEnd, pollOnce } from '../stream-connection';
import { TIMINGS } from '../timings';
import type { Batch } from './messages';

export interface FollowerStreamOptions extends EntrySourceOptions {
  /** The position this tab has reached; null before its first snapshot. */
  position(): Position | null;
  /** Load the snapshot. Afterwards `position` is at its cursor. */
  resnapshot(reason: string): Promise<void>;
  onState(state: StreamState): void;
  /** Called when nothing is missing any more. */
  onCaughtUp(): void;
}

/** The most batches kept while missing entries load. Dropped batches are loaded as well. */
const MOST_PENDING = 1_000;

export class FollowerStream {
  private pending: Batch[] = [];
  private busy = false;
  private endWait: () => void = () => undefined;
  private readonly stopping = new AbortController();
  private readonly backoff;

  constructor(private readonly options: FollowerStreamOptions) {
    this.backoff = options.timings?.backoff ?? TIMINGS.backoff;
  }

  take(batch: Batch): void {
    const position = this.options.position();
    if (this.busy || !position) return this.defer(batch);
    if (batch.from === null || batch.to === null) return;
    if (batch.from === position.cursor) return this.apply(batch.entries, batch.to, position);
    if (compareCursors(position.cursor, batch.from) !== 'old') {
      this.defer(batch);
      return void this.catchUp(null); // the server knows whether another epoch continues this one
    }
    // the leader is behind this tab, or this tab has loaded a part of the batch: take only the entries ahead
    const ahead = batch.entries.filter((entry) => compareCursors(position.cursor, entry.id) === 'next');
    this.apply(ahead, batch.to, position);
  }

  private apply(entries: Entry[], to: string, position: Position): void {
    for (const entry of entries) {
      position.moveTo(entry.id);
      this.options.onEntry(entry);
    }
    position.advance(to);
  }

  /** Load what is missing; `reason` asks for a snapshot. */
  async catchUp(reason: string | null): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.options.onState({ name: 'behind', done: 0, of: 0 });
    let due = reason ?? (this.options.position() ? null : 'new');
    let failures = 0;
    for (let end = await this.attempt(due); end; end = await this.attempt(due)) {
      if (this.stopping.signal.aborted) return;
      if (end.kind === 'reset') due = end.reason;
      if (end.kind !== 'failed') continue;
      if (end.problem.status === 401) return this.options.onState({ name: 'refused' });
      await this.wait(failures++, end.problem);
    }
    if (this.stopping.signal.aborted) return;
    this.busy = false;
    this.options.onCaughtUp();
    for (const batch of this.pending.splice(0)) this.take(batch);
  }

  wake(): void {
    this.endWait();
  }

  stop(): void {
    this.stopping.abort();
    this.endWait();
  }

  get isCatchingUp(): boolean {
    return this.busy;
  }

  private defer(batch: Batch): void {
    this.pending.push(batch);
    if (this.pending.length > MOST_PENDING) this.pending.shift();
  }

  /** Try once. Return null when nothing is missing. */
  private async attempt(reason: string | null): Promise<ConnectionEnd | null> {
    const position = this.options.position();
    if (reason === null && position) return this.fetchMissing(position);
    try {
      await this.options.resnapshot(reason ?? 'new');
      return null;
    } catch (error) {
      return { kind: 'failed', problem: asProblem(error) };
    }
  }

  private async fetchMissing(position: Position): Promise<ConnectionEnd | null> {
    const url = `${this.options.url}?poll=0&after=${encodeURIComponent(position.cursor ?? '')}`;
    const request = { url, headers: () => this.options.headers?.() ?? {}, signal: this.stopping.signal };
    const answer = await pollOnce(request, 20_000, {
      onRetry: () => undefined,
      onResumed: (cursor) => position.adoptEpoch(cursor),
      onEvent: (event) => {
        if (!isControlEvent(event) && position.advance(event.id)) this.options.onEntry(event);
        return undefined;
      },
    });
    if (typeof answer !== 'string') return answer;
    return position.advance(answer) === null ? { kind: 'reset', reason: 'other_epoch' } : null;
  }

  private wait(failures: number, problem: Problem): Promise<void> {
    const wait = delay(failures, this.backoff, Math.random(), problem.retryAfter);
    this.options.onState({ name: 'offline', problem, retryAt: Date.now() + wait });
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
