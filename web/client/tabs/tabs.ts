/**
 * The tabs of one browser and one login: they find each other, agree on a leader, and notice when it is gone.
 *
 * A tab that is closed, crashes or is discarded loses its lock at once. One that is frozen gives it back
 * before, if the browser says so; if it does not, it leaves a question unanswered and is replaced.
 */
import { newClientId } from '../outgoing';
import { Leadership, type Locks } from './leadership';
import type { Letters, Topic } from './messages';

export interface TabsOptions {
  /** One for each person: tabs of different names know nothing of each other. */
  name: string;
  locks?: Locks;
  /** Milliseconds: after so long a silence the leader is asked, and so long it may take to answer. */
  silence?: number;
  answerWithin?: number;
}

interface Envelope {
  from: string;
  to: string | null;
  leads: boolean;
  topic: Topic;
  data: unknown;
}

/** Milliseconds after which a hidden tab's timers are slowed down so much that a visible one had better lead. */
const DOZES = 240_000;

export class Tabs {
  readonly id = newClientId();
  private readonly name: string;
  private readonly locks: Locks;
  private readonly leadership: Leadership;
  private channel: BroadcastChannel | null = null;
  private life: AbortController | null = null;
  private heardAt = Date.now();
  private hiddenAt = Date.now();
  private answer: ReturnType<typeof setTimeout> | undefined;
  private readonly known = new Set<string>();
  private readonly hearers = new Map<Topic, ((data: never, from: string) => void)[]>();
  private readonly roles: ((leads: boolean) => void)[] = [];
  private readonly farewells: ((tab: string) => void)[] = [];

  constructor(private readonly options: TabsOptions) {
    this.name = options.name;
    this.locks = options.locks ?? navigator.locks;
    this.leadership = new Leadership(this.name, this.locks, (leads) => this.turn(leads));
    this.on('alive?', () => this.leads && this.tell('alive', { dozing: this.dozing }));
    this.on('alive', ({ dozing }) => dozing && visible() && this.leadership.seize());
  }

  /** Whether this browser can do it: pages over plain HTTP have no locks, save those of this very machine. */
  static possible(): boolean {
    return typeof BroadcastChannel !== 'undefined' && 'locks' in navigator;
  }

  get leads(): boolean {
    return this.leadership.leads;
  }

  on<T extends Topic>(topic: T, hear: (data: Letters[T], from: string) => void): void {
    this.hearers.set(topic, [...(this.hearers.get(topic) ?? []), hear]);
  }

  /** Calls back when this tab becomes the leader, and when it no longer is. */
  onRole(turn: (leads: boolean) => void): void {
    this.roles.push(turn);
  }

  /** Calls the leader back when another tab has gone. */
  onGone(farewell: (tab: string) => void): void {
    this.farewells.push(farewell);
  }

  /** To all other tabs, or to one. */
  tell<T extends Topic>(topic: T, data: Letters[T], to: string | null = null): void {
    const envelope: Envelope = { from: this.id, to, leads: this.leads, topic, data };
    this.channel?.postMessage(envelope);
  }

  start(): void {
    if (this.life) return;
    this.life = new AbortController();
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = ({ data }) => this.hear(data as Envelope);
    this.listen(this.life.signal);
    this.live(this.life.signal);
  }

  stop(): void {
    this.life?.abort();
    this.life = null;
    this.sleep();
    this.channel?.close();
    this.channel = null;
    this.known.clear();
  }

  /** Asks the leader whether it is there; one that does not answer is replaced. */
  doubt(): void {
    if (this.leads || this.answer !== undefined) return;
    const within = this.options.answerWithin ?? 3_000;
    this.answer = setTimeout(() => this.life && this.leadership.seize(), within * (1 + Math.random() / 3));
    this.tell('alive?', null);
  }

  private hear({ from, to, leads, topic, data }: Envelope): void {
    if (to !== null && to !== this.id) return;
    if (leads) this.trust();
    this.mourn(from);
    for (const hear of this.hearers.get(topic) ?? []) hear(data as never, from);
  }

  private trust(): void {
    this.heardAt = Date.now();
    clearTimeout(this.answer);
    this.answer = undefined;
  }

  private turn(leads: boolean): void {
    this.trust();
    this.known.clear();
    for (const role of this.roles) role(leads);
    if (leads) this.tell('lead', null);
  }

  /** As long as this tab lives it holds a lock of its own, before it says a word: whoever gets it knows that it is gone. */
  private live(life: AbortSignal): void {
    const hold = () => {
      if (life.aborted) return;
      this.rise();
      return new Promise<void>((resolve) => life.addEventListener('abort', () => resolve()));
    };
    void this.locks.request(`${this.name} ${this.id}`, {}, hold);
  }

  private mourn(tab: string): void {
    if (!this.leads || this.known.has(tab) || !this.life) return;
    this.known.add(tab);
    const gone = () => {
      if (this.known.delete(tab)) for (const farewell of this.farewells) farewell(tab);
    };
    this.locks.request(`${this.name} ${tab}`, { mode: 'shared', signal: this.life.signal }, gone).catch(() => undefined);
  }

  private rise(): void {
    this.leadership.stand();
    this.tell('hello', null);
    this.doubt();
  }

  private sleep(): void {
    this.leadership.resign();
    this.trust();
  }

  private get dozing(): boolean {
    return !visible() && Date.now() - this.hiddenAt > DOZES;
  }

  private listen(signal: AbortSignal): void {
    const silence = this.options.silence ?? 20_000;
    const look = setInterval(() => Date.now() - this.heardAt > silence && this.doubt(), silence / 4);
    signal.addEventListener('abort', () => clearInterval(look));
    if (typeof document === 'undefined') return;
    document.addEventListener('visibilitychange', () => this.seen(), { signal });
    document.addEventListener('freeze', () => this.sleep(), { signal });
    document.addEventListener('resume', () => this.rise(), { signal });
    addEventListener('pagehide', () => this.sleep(), { signal });
    addEventListener('pageshow', (event) => event.persisted && this.rise(), { signal });
  }

  private seen(): void {
    if (visible()) this.doubt();
    else this.hiddenAt = Date.now();
  }
}

const visible = (): boolean => typeof document === 'undefined' || document.visibilityState === 'visible';
