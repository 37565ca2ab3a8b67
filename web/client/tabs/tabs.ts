/**
 * The tabs of one browser and one user. They find each other, agree on a leader, and notice when it is gone.
 *
 * A tab that closes, crashes or is discarded loses its lock at once. A tab that is frozen releases it before, if
 * the browser announces the freeze. Otherwise it does not answer a question and is replaced.
 */
import { newClientId } from '../outgoing';
import { Leadership, type Locks } from './leadership';
import type { TabMessages, Topic } from './messages';

export interface TabsOptions {
  /** One name for each user. Tabs with different names ignore each other. */
  name: string;
  locks?: Locks;
  /** Milliseconds: after `silence` the leader is asked, and it has `answerWithin` to answer. */
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

/** Milliseconds after which a hidden tab's timers are slowed down so much that a visible tab should lead. */
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

  /** Return true if this browser supports it. Pages over plain HTTP have no locks, except those from localhost. */
  static isSupported(): boolean {
    return typeof BroadcastChannel !== 'undefined' && 'locks' in navigator;
  }

  get leads(): boolean {
    return this.leadership.leads;
  }

  on<T extends Topic>(topic: T, handler: (data: TabMessages[T], from: string) => void): void {
    this.handlers.set(topic, [...(this.handlers.get(topic) ?? []), handler]);
  }

  /** Call the handler when this tab becomes the leader, and when it no longer is. */
  onRole(handler: (leads: boolean) => void): void {
    this.roleHandlers.push(handler);
  }

  /** Call the handler in the leader when another tab has closed. */
  onTabClosed(handler: (tab: string) => void): void {
    this.closedHandlers.push(handler);
  }

  /** Send to all other tabs, or to one. */
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

  /** Ask the leader for a sign of life. A leader that does not answer is replaced. */
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

  /**
   * Hold a lock for as long as this tab lives, before it sends anything. Another tab that gets the lock knows that
   * this one is gone.
   */
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
    const options: LockOptions = { mode: 'shared', signal: this.running.signal };
    this.locks.request(`${this.name} ${tab}`, options, onClosed).catch(() => undefined);
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
