/**
 * A tab that follows: it takes the leader's batches as far as they adjoin what it has, and fetches what it
 * missed (it came later, was frozen, or the leader changed) from the server, once.
 */
import { delay } from '../backoff';
import { type Place, relate } from '../cursor';
import { isNotice } from '../entry';
import type { FeedOptions, StreamState } from '../entry-source';
import { asProblem, Problem } from '../problem';
import { type End, pollOnce } from '../stream-connection';
import { TIMINGS } from '../timings';
import type { Batch } from './messages';

export interface FollowingOptions extends FeedOptions {
  /** How far this tab has come; null before its first snapshot. */
  place(): Place | null;
  /** Reads the snapshot; from then on `place` is its cursor. */
  snapshot(reason: string): Promise<void>;
  state(state: StreamState): void;
  /** Nothing is missing any more. */
  caughtUp(): void;
}

/** Batches kept while something is being fetched; of more, what is let go is fetched as well. */
const HELD = 1_000;

export class Following {
  private held: Batch[] = [];
  private busy = false;
  private goOn: () => void = () => undefined;
  private readonly ending = new AbortController();
  private readonly backoff;

  constructor(private readonly options: FollowingOptions) {
    this.backoff = options.timings?.backoff ?? TIMINGS.backoff;
  }

  take(batch: Batch): void {
    const place = this.options.place();
    if (this.busy || !place) return this.hold(batch);
    if (batch.from === null || batch.to === null) return;
    const relation = relate(place.cursor, batch.from);
    if (relation !== 'old' && batch.from !== place.cursor) {
      this.hold(batch);
      return void this.catchUp(relation === 'foreign' ? 'other_epoch' : null);
    }
    for (const entry of batch.entries) if (place.pass(entry.id)) this.options.entry(entry);
    place.pass(batch.to);
  }

  /** Fetches what is missing: by a snapshot, when there is a reason for one. */
  async catchUp(reason: string | null): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.options.state({ name: 'behind', done: 0, of: 0 });
    let due = reason ?? (this.options.place() ? null : 'new');
    let failures = 0;
    for (let end = await this.attempt(due); end; end = await this.attempt(due)) {
      if (this.ending.signal.aborted) return;
      if (end.kind === 'reset') due = end.reason;
      if (end.kind !== 'failed') continue;
      if (end.problem.status === 401) return this.options.state({ name: 'refused' });
      await this.rest(failures++, end.problem);
    }
    if (this.ending.signal.aborted) return;
    this.busy = false;
    this.options.caughtUp();
    for (const batch of this.held.splice(0)) this.take(batch);
  }

  wake(): void {
    this.goOn();
  }

  stop(): void {
    this.ending.abort();
    this.goOn();
  }

  /** Whether it fetches what is missing. */
  get catchesUp(): boolean {
    return this.busy;
  }

  private hold(batch: Batch): void {
    this.held.push(batch);
    if (this.held.length > HELD) this.held.shift();
  }

  /** Null when all is there. */
  private async attempt(reason: string | null): Promise<End | null> {
    const place = this.options.place();
    if (reason === null && place) return this.fetch(place);
    try {
      await this.options.snapshot(reason ?? 'new');
      return null;
    } catch (error) {
      return { kind: 'failed', problem: asProblem(error) };
    }
  }

  private async fetch(place: Place): Promise<End | null> {
    const url = `${this.options.url}?poll=0&after=${encodeURIComponent(place.cursor ?? '')}`;
    const asked = { url, headers: this.options.headers ?? {}, signal: this.ending.signal };
    const answer = await pollOnce(asked, 20_000, {
      retry: () => undefined,
      hear: (told) => {
        if (!isNotice(told) && place.pass(told.id)) this.options.entry(told);
        return undefined;
      },
    });
    if (typeof answer !== 'string') return answer;
    return place.pass(answer) === null ? { kind: 'reset', reason: 'other_epoch' } : null;
  }

  private rest(failures: number, problem: Problem): Promise<void> {
    const wait = delay(failures, this.backoff, Math.random(), problem.retryAfter);
    this.options.state({ name: 'offline', problem, retryAt: Date.now() + wait });
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.goOn = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
