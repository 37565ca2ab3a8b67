/**
 * What is on the screen, and what is known of it: keeps the server's list of watched people equal to what is
 * shown here, and merges what it answers by version.
 */
import type { Id } from '../types';
import { forgetRecords, mergeRecords, type PresenceRecords } from './records';
import type { PresenceRecord, Signal } from './protocol';

export const MOST_WATCHED = 500;
/** So many ids of any size fit a frame of 4 KiB. */
const MOST_IN_FRAME = 200;

export interface WatchListOptions {
  /** True when it went out. */
  send(signal: Signal): boolean;
  onChange(people: ReadonlyMap<Id, PresenceRecord>): void;
}

/** Milliseconds in which what scrolls past is gathered into one frame, and in which an answer should come. */
const FLUSH_DELAY = 50;
const ANSWER_WITHIN = 5_000;

export class WatchList {
  private records: PresenceRecords = new Map();
  private connected = false;
  /** After a hello deltas are held until a snapshot has come: together they replace what was known before. */
  private awaitingSnapshot = false;
  private requested: Id[] | null = null;
  private answerTimer: ReturnType<typeof setTimeout> | undefined;
  private flushTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly users = new WatchedIds();
  private readonly conversations = new WatchedIds();

  constructor(private readonly options: WatchListOptions) {}

  /** This is on the screen, until the returned function is called. */
  watch(kind: 'users' | 'conversations', id: Id): () => void {
    this[kind].add(id);
    this.scheduleFlush();
    return () => {
      this[kind].remove(id);
      this.scheduleFlush();
    };
  }

  /** A connection that knows nothing of this page yet. */
  onConnect(): void {
    [this.records, this.connected, this.awaitingSnapshot] = [new Map(), true, true];
    for (const watched of [this.users, this.conversations]) watched.reset();
    this.endRequest();
    this.scheduleFlush();
  }

  /** The connection has gone; what was seen last stays as it was. */
  onDisconnect(): void {
    this.connected = false;
    this.endRequest();
  }

  /** Who may be seen may be others by now: ask again. */
  refresh(): void {
    for (const watched of [this.users, this.conversations]) watched.markStale();
    this.scheduleFlush();
  }

  /** The answer to a watch. Who was asked for and is not in it may not be seen, or is not known. */
  takeSnapshot(records: PresenceRecord[]): void {
    const seen = new Set(records.map((record) => record.id));
    mergeRecords(this.records, records);
    forgetRecords(
      this.records,
      (this.requested ?? []).filter((id) => !seen.has(id)),
    );
    this.endRequest();
    this.show();
    this.scheduleFlush();
  }

  takeChanges(records: PresenceRecord[]): void {
    if (mergeRecords(this.records, records).length && !this.awaitingSnapshot) this.show();
  }

  /** These may no longer be seen; the server shows them by itself when they may be again. */
  hide(ids: Id[]): void {
    forgetRecords(this.records, ids);
    if (!this.awaitingSnapshot) this.show();
  }

  private show(): void {
    this.awaitingSnapshot = false;
    this.options.onChange(new Map(this.records));
  }

  private scheduleFlush(): void {
    this.flushTimer ??= setTimeout(() => {
      this.flushTimer = undefined;
      if (this.connected) this.flush();
    }, FLUSH_DELAY);
  }

  private flush(): void {
    const [users, conversations] = [this.users.takeRemoved(), this.conversations.takeRemoved()];
    forgetRecords(this.records, users);
    const gone = users.length + conversations.length > 0;
    if (gone) this.options.send({ type: 'unwatch', users, conversations });
    const next = this.conversations.takeUnsent();
    if (next.length) this.options.send({ type: 'watch', conversations: next });
    if (this.requested === null) this.requestNext();
    if (gone || next.length) this.scheduleFlush();
  }

  /** One question about people at a time, so that its answer is known as such. */
  private requestNext(): void {
    const users = this.users.takeUnsent();
    if (!users.length) return this.awaitingSnapshot ? this.show() : undefined;
    this.requested = users;
    this.options.send({ type: 'watch', users });
    this.answerTimer = setTimeout(() => {
      this.users.markStale(users);
      this.endRequest();
      this.scheduleFlush();
    }, ANSWER_WITHIN);
  }

  private endRequest(): void {
    clearTimeout(this.answerTimer);
    this.requested = null;
  }
}

/**
 * What is on the screen, counted, and what of it the server has been told. Pure. Beyond 500 the newest wait
 * until others have gone.
 */
export class WatchedIds {
  private readonly counts = new Map<Id, number>();
  private readonly sent = new Set<Id>();
  /** Told, and to be told again: the answer may be another one by now. */
  private stale = new Set<Id>();

  add(id: Id): void {
    this.counts.set(id, (this.counts.get(id) ?? 0) + 1);
  }

  remove(id: Id): void {
    const left = (this.counts.get(id) ?? 0) - 1;
    if (left > 0) this.counts.set(id, left);
    else this.counts.delete(id);
  }

  /** A new connection knows of nothing. */
  reset(): void {
    this.sent.clear();
    this.stale.clear();
  }

  markStale(ids: Iterable<Id> = this.sent): void {
    this.stale = new Set([...this.stale, ...ids]);
  }

  /** Those that have left the screen; from now on they count as taken back. */
  takeRemoved(): Id[] {
    const removed = [...this.sent].filter((id) => !this.counts.has(id)).slice(0, MOST_IN_FRAME);
    for (const id of removed) this.sent.delete(id);
    return removed;
  }

  /** The next that the server should hear of, as many as a frame takes; from now on they count as told. */
  takeUnsent(): Id[] {
    const free = MOST_WATCHED - this.sent.size;
    const unsent = [...this.counts.keys()].filter((id) => !this.sent.has(id)).slice(0, Math.max(0, free));
    const stale = [...this.stale].filter((id) => this.counts.has(id));
    const next = [...unsent, ...stale].slice(0, MOST_IN_FRAME);
    for (const id of next) {
      this.sent.add(id);
      this.stale.delete(id);
    }
    return next;
  }
}
