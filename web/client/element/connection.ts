/**
 * The connection of `<tandem-chat>` elements to a server: one for each user, however many elements show it. It gets the
 * token, renews it before it expires, and ends when the last element is gone.
 */
import { Api } from '../api';
import { type Backoff, delay } from '../backoff';
import type { Entry } from '../entry';
import { Presence } from '../presence/presence';
import { asProblem, Problem } from '../problem';
import { Store } from '../store';
import type { SentFile, User } from '../types';
import { claimsOf, renewalDelay, type TokenSource } from './token';

/** A token, what gives one, or null: the cookie of the page's own server says who the user is. */
export type Token = string | TokenSource | null;

export interface Listener {
  /** Something that can be seen has changed. */
  onChange(): void;
  onEntry(entry: Entry): void;
  onProblem(problem: Problem): void;
}

export interface Live {
  store: Store;
  presence: Presence;
}

const BACKOFF: Backoff = { first: 1_000, most: 60_000 };
const ACTIVITY = ['keydown', 'pointerdown', 'pointermove'];

export class Connection {
  readonly api: Api;
  /** Null until the user is known. */
  live: Live | null = null;
  /** True while the server accepts no token. */
  refused = false;
  private readonly listeners = new Set<Listener>();
  private readonly pictures = new Map<number, Promise<string>>();
  private readonly ending = new AbortController();
  /** The token with which each part of `live` was started. */
  private readonly startedWith = new Map<object, string | undefined>();
  /** Parts that the server refused, until they start again. */
  private readonly ended = new Set<object>();
  private expiresAt = Infinity;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private opening = false;

  constructor(
    server: string,
    private token: Token,
    private readonly onUnused: () => void,
  ) {
    this.api = new Api({ base: server });
  }

  /** Call the listener until the returned function is called. Without listeners, the connection ends. */
  add(listener: Listener): () => void {
    this.listeners.add(listener);
    if (this.listeners.size === 1) this.start();
    return () => {
      if (this.listeners.delete(listener) && !this.listeners.size) this.stop();
    };
  }

  /** Use this token for what follows, of the same user. */
  renew(token: string): void {
    if (token === this.token) return;
    this.token = token;
    void this.open();
  }

  /** Return a URL of this page with the small version of a picture, which the browser itself could not load. */
  picture(file: SentFile): Promise<string> {
    const known = this.pictures.get(file.id);
    if (known) return known;
    const loading = this.load(file, 'small').then((blob) => URL.createObjectURL(blob));
    loading.catch(() => this.pictures.delete(file.id));
    this.pictures.set(file.id, loading);
    return loading;
  }

  async load(file: SentFile, preview?: 'small'): Promise<Blob> {
    const answer = await fetch(this.api.fileUrl(file, preview), { headers: this.api.identity() });
    if (!answer.ok) throw new Problem({ status: answer.status, code: 'file_failed', detail: `Could not load ${file.name}.` });
    return answer.blob();
  }

  private start(): void {
    const { signal } = this.ending;
    const wake = () => this.wake();
    addEventListener('online', wake, { signal });
    document.addEventListener('visibilitychange', wake, { signal });
    const active = () => this.live?.presence.activity.noticeInput();
    for (const event of ACTIVITY) addEventListener(event, active, { signal, passive: true });
    void this.open();
  }

  private stop(): void {
    this.ending.abort();
    clearTimeout(this.timer);
    this.stopLive();
    for (const url of this.pictures.values()) void url.then((one) => URL.revokeObjectURL(one)).catch(() => undefined);
    this.onUnused();
  }

  /** Try again at once: the network is back, or the page is visible again. Its timers may have slept. */
  private wake(): void {
    if (document.visibilityState === 'hidden') return;
    if (!this.live || this.refused || Date.now() >= this.expiresAt) void this.open();
    this.live?.store.wake();
    this.live?.presence.wake();
  }

  /** Get a token, find out whose it is, and connect. Retry until that succeeds. */
  private async open(): Promise<void> {
    if (this.opening) return;
    this.opening = true;
    clearTimeout(this.timer);
    try {
      const token = await this.nextToken();
      const me = await new Api({ base: this.api.base, ...(token && { token }) }).me();
      if (!this.ending.signal.aborted) this.connect(me, token);
    } catch (error) {
      if (!this.ending.signal.aborted) this.onFailure(asProblem(error));
    }
    this.opening = false;
    // the page may have given another token meanwhile
    if (typeof this.token === 'string' && this.live && this.token !== this.api.token) void this.open();
    this.changed();
  }

  private async nextToken(): Promise<string | undefined> {
    if (typeof this.token !== 'function') return this.token ?? undefined;
    try {
      return await this.token();
    } catch (error) {
      throw new Problem({ status: 0, code: 'token_failed', detail: `The page gave no token: ${String(error)}` });
    }
  }

  private onFailure(problem: Problem): void {
    const refusal = problem.status === 401 || problem.code === 'token_failed';
    this.refused = refusal && (!this.live || Date.now() >= this.expiresAt);
    for (const listener of this.listeners) listener.onProblem(problem);
    // a fixed token that was refused stays refused: the page has to give another one
    if (!refusal || typeof this.token === 'function') this.retry(problem.retryAfter);
  }

  private retry(retryAfter?: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.open(), delay(this.failures++, BACKOFF, Math.random(), retryAfter));
  }

  /** Connect as this user, or continue with the renewed token. */
  private connect(me: User, token: string | undefined): void {
    if (this.live && this.live.store.view.me.id !== me.id) this.stopLive();
    this.expiresAt = token === undefined ? Infinity : claimsOf(token).expiresAt;
    [this.api.token, this.failures, this.refused] = [token, 0, false];
    this.live ??= this.makeLive(me);
    for (const part of [this.live.store, this.live.presence])
      if (this.ended.has(part) || !this.startedWith.has(part)) this.startPart(part);
    if (typeof this.token === 'function' && this.expiresAt < Infinity)
      this.timer = setTimeout(() => void this.open(), renewalDelay(this.expiresAt, Date.now()));
  }

  private makeLive(me: User): Live {
    const { api } = this;
    const store = new Store({ api, me, onEntry: (entry) => this.listeners.forEach((one) => one.onEntry(entry)) });
    const presence = new Presence({ api, me: me.id, onLogPosition: (cursor) => store.reportLogPosition(cursor) });
    store.subscribe(({ connection }) => this.onPartChange(store, connection.name === 'refused'));
    presence.subscribe(({ socket }) => this.onPartChange(presence, socket.name === 'refused'));
    return { store, presence };
  }

  private startPart(part: Store | Presence): void {
    this.startedWith.set(part, this.api.token);
    this.ended.delete(part);
    part.stop();
    part.start();
  }

  /** Show a change. A part that was refused has an expired token: restart it with the renewed one, or renew now. */
  private onPartChange(part: Store | Presence, refused: boolean): void {
    const current = part === this.live?.store || part === this.live?.presence;
    if (current && refused && !this.ended.has(part)) {
      this.ended.add(part);
      if (this.startedWith.get(part) !== this.api.token) this.startPart(part);
      else if (!this.opening) this.onFailure(new Problem({ status: 401, code: 'unauthenticated', detail: 'The session has ended.' }));
    }
    this.changed();
  }

  private stopLive(): void {
    const live = this.live;
    this.live = null;
    this.startedWith.clear();
    live?.store.stop();
    live?.presence.stop();
  }

  private changed(): void {
    for (const listener of this.listeners) listener.onChange();
  }
}

const connections = new Map<string, Connection>();
const sources = new WeakMap<TokenSource, number>();
let lastSource = 0;

/** Return the connection of a user to a server. Elements share one if their tokens are of the same user. */
export function connectionOf(server: string, token: Token): Connection {
  const key = `${server} ${userOf(token)}`;
  const known = connections.get(key);
  if (known && typeof token === 'string') known.renew(token);
  if (known) return known;
  const made = new Connection(server, token, () => connections.get(key) === made && connections.delete(key));
  connections.set(key, made);
  return made;
}

/** Return a name for the user of a token, the same for each token of theirs. */
function userOf(token: Token): string {
  if (token === null) return 'cookie';
  if (typeof token === 'string') return `token ${claimsOf(token).subject ?? token}`;
  if (!sources.has(token)) sources.set(token, ++lastSource);
  return `source ${sources.get(token)}`;
}
