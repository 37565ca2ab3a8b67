/**
 * The tabs of one browser and one login: they find each other, agree on a leader, and notice when it is gone.
 *
 * A tab that is closed, crashes or is discarded loses its lock at once. One that is frozen gives it back
 * before, if the browser says so; if it does not, it leaves a question unanswered and is replaced.
 */
import { newClientId } from '../outgoing';
import { Leadership, type Locks } from './leadership';
import type { TabMessages, Topic } from './messages';

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
const THROTTLED_AFTER = 240_000;

export class Tabs {
  readonly id = newClientId();
  private readonly name: string;
  private readonly locks: Locks;
  private readonly leadership: Leadership;
  private channel: BroadcastChannel | null = null;
  private running: AbortController | null = null;
  private leaderHeardAt = Date.now();
  private hiddenAt = Date.now();
  private answerTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly known = new Set<string>();
  private readonly handlers = new Map<Topic, ((data: never, from: string) => void)[]>();
  private readonly roleHandlers: ((leads: boolean) => void)[] = [];
  private readonly closedHandlers: ((tab: string) => void)[] = [];

  constructor(private readonly options: TabsOptions) {
    this.name = options.name;
    this.locks = options.locks ?? navigator.locks;
    this.leadership = new Leadership(this.name, this.locks, (leads) => this.setRole(leads));
    this.on('alive?', () => this.leads && this.send('alive', { dozing: this.isThrottled }));
    this.on('alive', ({ dozing }) => dozing && isVisible() && this.leadership.steal());
  }

  /** Whether this browser can do it: pages over plain HTTP have no locks, save those of this very machine. */
  static isSupported(): boolean {
    return typeof BroadcastChannel !== 'undefined' && 'locks' in navigator;
  }

  get leads(): boolean {
    return this.leadership.leads;
  }

  on<T extends Topic>(topic: T, handler: (data: TabMessages[T], from: string) => void): void {
    this.handlers.set(topic, [...(this.handlers.get(topic) ?? []), handler]);
  }

  /** Calls back when this tab becomes the leader, and when it no longer is. */
  onRole(handler: (leads: boolean) => void): void {
    this.roleHandlers.push(handler);
  }

  /** Calls the leader back when another tab has gone. */
  onTabClosed(handler: (tab: string) => void): void {
    this.closedHandlers.push(handler);
  }

  /** To all other tabs, or to one. */
  send<T extends Topic>(topic: T, data: TabMessages[T], to: string | null = null): void {
    const envelope: Envelope = { from: this.id, to, leads: this.leads, topic, data };
    this.channel?.postMessage(envelope);
  }

  start(): void {
    if (this.running) return;
    this.running = new AbortController();
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = ({ data }) => this.receive(data as Envelope);
    this.listen(this.running.signal);
    this.holdTabLock(this.running.signal);
  }

  stop(): void {
    this.running?.abort();
    this.running = null;
    this.withdraw();
    this.channel?.close();
    this.channel = null;
    this.known.clear();
  }

  /** Asks the leader whether it is there; one that does not answer is replaced. */
  checkLeader(): void {
    if (this.leads || this.answerTimer !== undefined) return;
    const within = this.options.answerWithin ?? 3_000;
    this.answerTimer = setTimeout(() => this.running && this.leadership.steal(), within * (1 + Math.random() / 3));
    this.send('alive?', null);
  }

  private receive({ from, to, leads, topic, data }: Envelope): void {
    if (to !== null && to !== this.id) return;
    if (leads) this.markLeaderAlive();
    this.awaitClosing(from);
    for (const handler of this.handlers.get(topic) ?? []) handler(data as never, from);
  }

  private markLeaderAlive(): void {
    this.leaderHeardAt = Date.now();
    clearTimeout(this.answerTimer);
    this.answerTimer = undefined;
  }

  private setRole(leads: boolean): void {
    this.markLeaderAlive();
    this.known.clear();
    for (const handler of this.roleHandlers) handler(leads);
    if (leads) this.send('lead', null);
  }

  /** As long as this tab lives it holds a lock of its own, before it says a word: whoever gets it knows that it is gone. */
  private holdTabLock(running: AbortSignal): void {
    const hold = () => {
      if (running.aborted) return;
      this.join();
      return new Promise<void>((resolve) => running.addEventListener('abort', () => resolve()));
    };
    void this.locks.request(`${this.name} ${this.id}`, {}, hold);
  }

  private awaitClosing(tab: string): void {
    if (!this.leads || this.known.has(tab) || !this.running) return;
    this.known.add(tab);
    const onClosed = () => {
      if (this.known.delete(tab)) for (const handler of this.closedHandlers) handler(tab);
    };
    this.locks.request(`${this.name} ${tab}`, { mode: 'shared', signal: this.running.signal }, onClosed).catch(() => undefined);
  }

  private join(): void {
    this.leadership.enqueue();
    this.send('hello', null);
    this.checkLeader();
  }

  private withdraw(): void {
    this.leadership.release();
    this.markLeaderAlive();
  }

  private get isThrottled(): boolean {
    return !isVisible() && Date.now() - this.hiddenAt > THROTTLED_AFTER;
  }

  private listen(signal: AbortSignal): void {
    const silence = this.options.silence ?? 20_000;
    const look = setInterval(() => Date.now() - this.leaderHeardAt > silence && this.checkLeader(), silence / 4);
    signal.addEventListener('abort', () => clearInterval(look));
    if (typeof document === 'undefined') return;
    document.addEventListener('visibilitychange', () => this.onVisibilityChange(), { signal });
    document.addEventListener('freeze', () => this.withdraw(), { signal });
    document.addEventListener('resume', () => this.join(), { signal });
    addEventListener('pagehide', () => this.withdraw(), { signal });
    addEventListener('pageshow', (event) => event.persisted && this.join(), { signal });
  }

  private onVisibilityChange(): void {
    if (isVisible()) this.checkLeader();
    else this.hiddenAt = Date.now();
  }
}

const isVisible = (): boolean => typeof document === 'undefined' || document.visibilityState === 'visible';
