/**
 * What is on the screen, and what is known of it: keeps the server's list of watched people equal to what is
 * shown here, and merges what it answers by version.
 */
import type { Id } from '../types';
import { forget, merge, type People } from './delta';
import type { PresenceRecord, Signal } from './protocol';
import { Watched } from './watched';

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
