/**
 * Keeps the server's list of watched users and conversations equal to what the screen shows. Merges the records that
 * it sends by version.
 */
import type { Id } from '../types';
import { forgetRecords, mergeRecords, type PresenceRecords } from './records';
import type { PresenceRecord, Signal } from './protocol';

export const MOST_WATCHED = 500;
/** As many ids of any size fit into a frame of 4 KiB. */
const MOST_IN_FRAME = 200;

export interface WatchListOptions {
  /** Send a frame; return true if the socket was open. */
  send(signal: Signal): boolean;
  onChange(people: ReadonlyMap<Id, PresenceRecord>): void;
}

/** Milliseconds: what scrolls past within FLUSH_DELAY goes into one frame; an answer is due within ANSWER_WITHIN. */
const FLUSH_DELAY = 50;
const ANSWER_WITHIN = 5_000;

export class WatchList {
  private records: PresenceRecords = new Map();
  private connected = false;
  /** After a hello, changes are held until a snapshot arrives. Together they replace the old records. */
  private awaitingSnapshot = false;
  private requested: Id[] | null = null;
  private answerTimer: ReturnType<typeof setTimeout> | undefined;
  private flushTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly users = new WatchedIds();
  private readonly conversations = new WatchedIds();

  constructor(private readonly options: WatchListOptions) {}

  /** Watch what is on the screen. The returned function ends the watch. */
  watch(kind: 'users' | 'conversations', id: Id): () => void {
    this[kind].add(id);
    this.scheduleFlush();
    return () => {
      this[kind].remove(id);
      this.scheduleFlush();
    };
  }

  /** Start over on a new connection, which knows nothing of this page. */
  onConnect(): void {
    [this.records, this.connected, this.awaitingSnapshot] = [new Map(), true, true];
    for (const watched of [this.users, this.conversations]) watched.reset();
    this.endRequest();
    this.scheduleFlush();
  }

  /** Handle the end of the connection. The last records stay visible. */
  onDisconnect(): void {
    this.connected = false;
    this.endRequest();
  }

  /** Ask again for everyone, because this user may now be allowed to see others. */
  refresh(): void {
    for (const watched of [this.users, this.conversations]) watched.markStale();
    this.scheduleFlush();
  }

  /** Take the answer to a watch. Requested users missing from it are unknown or may not be seen. */
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

  /** Remove users who may no longer be seen. The server sends them again when they may. */
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

  /** Request the next users. Only one request is open at a time, so that its answer can be recognized. */
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
 * Ids on the screen, counted, and which of them the server knows. Pure. Above 500, the newest ids wait until others
 * leave the screen.
 */
export class WatchedIds {
  private readonly counts = new Map<Id, number>();
  private readonly sent = new Set<Id>();
  /** Sent ids to send again, because the answer may have changed. */
  private stale = new Set<Id>();

  add(id: Id): void {
    this.counts.set(id, (this.counts.get(id) ?? 0) + 1);
  }

  remove(id: Id): void {
    const left = (this.counts.get(id) ?? 0) - 1;
    if (left > 0) this.counts.set(id, left);
    else this.counts.delete(id);
  }

  /** Forget what was sent: a new connection knows nothing. */
  reset(): void {
    this.sent.clear();
    this.stale.clear();
  }

  markStale(ids: Iterable<Id> = this.sent): void {
    this.stale = new Set([...this.stale, ...ids]);
  }

  /** Return sent ids that left the screen, and count them as no longer sent. */
  takeRemoved(): Id[] {
    const removed = [...this.sent].filter((id) => !this.counts.has(id)).slice(0, MOST_IN_FRAME);
    for (const id of removed) this.sent.delete(id);
    return removed;
  }

  /** Return the next ids to send, as many as fit into a frame, and count them as sent. */
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
