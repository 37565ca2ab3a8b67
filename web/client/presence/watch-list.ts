/**
 * What is on the screen, and what is known of it: keeps the server's list of watched people equal to what is
 * shown here, and merges what it answers by version.
 */
import type { Id } from '../types';
import { forget, merge, type People } from './records';
import type { PresenceRecord, Signal } from './protocol';

export const WATCH_MOST = 500;
/** So many ids of any size fit a frame of 4 KiB. */
const FRAME_MOST = 200;

export interface SightOptions {
  /** True when it went out. */
  say(signal: Signal): boolean;
  show(people: ReadonlyMap<Id, PresenceRecord>): void;
}

/** Milliseconds in which what scrolls past is gathered into one frame, and in which an answer should come. */
const GATHER = 50;
const ANSWER_WITHIN = 5_000;

export class Sight {
  private people: People = new Map();
  private connected = false;
  /** After a hello deltas are held until a snapshot has come: together they replace what was known before. */
  private held = false;
  private asked: Id[] | null = null;
  private answer: ReturnType<typeof setTimeout> | undefined;
  private gathering: ReturnType<typeof setTimeout> | undefined;
  private readonly users = new Watched();
  private readonly conversations = new Watched();

  constructor(private readonly options: SightOptions) {}

  /** This is on the screen, until the returned function is called. */
  watch(kind: 'users' | 'conversations', id: Id): () => void {
    this[kind].want(id);
    this.gather();
    return () => {
      this[kind].release(id);
      this.gather();
    };
  }

  /** A connection that knows nothing of this page yet. */
  begin(): void {
    [this.people, this.connected, this.held] = [new Map(), true, true];
    for (const watched of [this.users, this.conversations]) watched.reset();
    this.answered();
    this.gather();
  }

  /** The connection has gone; what was seen last stays as it was. */
  end(): void {
    this.connected = false;
    this.answered();
  }

  /** Who may be seen may be others by now: ask again. */
  repeat(): void {
    for (const watched of [this.users, this.conversations]) watched.repeat();
    this.gather();
  }

  /** The answer to a watch. Who was asked for and is not in it may not be seen, or is not known. */
  takeSnapshot(records: PresenceRecord[]): void {
    const seen = new Set(records.map((record) => record.id));
    merge(this.people, records);
    forget(
      this.people,
      (this.asked ?? []).filter((id) => !seen.has(id)),
    );
    this.answered();
    this.show();
    this.gather();
  }

  takeChanges(records: PresenceRecord[]): void {
    if (merge(this.people, records).length && !this.held) this.show();
  }

  /** These may no longer be seen; the server shows them by itself when they may be again. */
  lose(ids: Id[]): void {
    forget(this.people, ids);
    if (!this.held) this.show();
  }

  private show(): void {
    this.held = false;
    this.options.show(new Map(this.people));
  }

  private gather(): void {
    this.gathering ??= setTimeout(() => {
      this.gathering = undefined;
      if (this.connected) this.tell();
    }, GATHER);
  }

  private tell(): void {
    const [users, conversations] = [this.users.gone(), this.conversations.gone()];
    forget(this.people, users);
    const gone = users.length + conversations.length > 0;
    if (gone) this.options.say({ type: 'unwatch', users, conversations });
    const rooms = this.conversations.fresh();
    if (rooms.length) this.options.say({ type: 'watch', conversations: rooms });
    if (this.asked === null) this.ask();
    if (gone || rooms.length) this.gather();
  }

  /** One question about people at a time, so that its answer is known as such. */
  private ask(): void {
    const users = this.users.fresh();
    if (!users.length) return this.held ? this.show() : undefined;
    this.asked = users;
    this.options.say({ type: 'watch', users });
    this.answer = setTimeout(() => {
      this.users.repeat(users);
      this.answered();
      this.gather();
    }, ANSWER_WITHIN);
  }

  private answered(): void {
    clearTimeout(this.answer);
    this.asked = null;
  }
}

/**
 * What is on the screen, counted, and what of it the server has been told. Pure. Beyond 500 the newest wait
 * until others have gone.
 */
export class Watched {
  private readonly wanted = new Map<Id, number>();
  private readonly told = new Set<Id>();
  /** Told, and to be told again: the answer may be another one by now. */
  private again = new Set<Id>();

  want(id: Id): void {
    this.wanted.set(id, (this.wanted.get(id) ?? 0) + 1);
  }

  release(id: Id): void {
    const left = (this.wanted.get(id) ?? 0) - 1;
    if (left > 0) this.wanted.set(id, left);
    else this.wanted.delete(id);
  }

  /** A new connection knows of nothing. */
  reset(): void {
    this.told.clear();
    this.again.clear();
  }

  repeat(ids: Iterable<Id> = this.told): void {
    this.again = new Set([...this.again, ...ids]);
  }

  /** Those that have left the screen; from now on they count as taken back. */
  gone(): Id[] {
    const gone = [...this.told].filter((id) => !this.wanted.has(id)).slice(0, FRAME_MOST);
    for (const id of gone) this.told.delete(id);
    return gone;
  }

  /** The next that the server should hear of, as many as a frame takes; from now on they count as told. */
  fresh(): Id[] {
    const room = WATCH_MOST - this.told.size;
    const untold = [...this.wanted.keys()].filter((id) => !this.told.has(id)).slice(0, Math.max(0, room));
    const again = [...this.again].filter((id) => this.wanted.has(id));
    const fresh = [...untold, ...again].slice(0, FRAME_MOST);
    for (const id of fresh) {
      this.told.add(id);
      this.again.delete(id);
    }
    return fresh;
  }
}
