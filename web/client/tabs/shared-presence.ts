/**
 * One presence socket for all tabs. The leader has the socket, watches for all tabs, and publishes changes. The
 * other tabs show the published view and send through the leader.
 */
import { Observable } from '../observable';
import {
  emptyView,
  predictOwn,
  type PresenceConnection,
  type PresenceView,
  type WatchKind,
} from '../presence/connection';
import type { Choice } from '../presence/protocol';
import type { Id } from '../types';
import { WatchUnion } from './watch-union';
import type { PresenceChange, TabWatches } from './messages';
import type { Tabs } from './tabs';

/** Milliseconds: what scrolls past within them goes into one message. */
const WATCH_DELAY = 30;

export class SharedPresenceConnection implements PresenceConnection {
  private readonly observable = new Observable<PresenceView>(emptyView());
  private readonly watchCounts: Record<WatchKind, Map<Id, number>> = { users: new Map(), conversations: new Map() };
  private connection: PresenceConnection | null = null;
  private watchUnion: WatchUnion | null = null;
  private idle = false;
  private unsentChoice: Choice | null = null;
  private running = false;
  private watchTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly tabs: Tabs,
    private readonly make: (view: PresenceView) => PresenceConnection,
  ) {
    tabs.onRole((leads) => this.running && this.setRole(leads));
    tabs.onTabClosed((tab) => this.watchUnion?.removeTab(tab));
    tabs.on('hello', (_, from) => this.connection && tabs.send('line', diffViews(emptyView(), this.view), from));
    tabs.on('lead', () => this.sendOwnState());
    tabs.on('line', (change) => this.observable.update(applyChange(this.view, change)));
    tabs.on('watch', (watches, from) => this.watchUnion?.watch(from, watches));
    tabs.on('idles', (idle, from) => this.watchUnion?.setIdle(from, idle));
    tabs.on('types', ({ conversation, on }) => this.connection?.setTyping(conversation, on));
    tabs.on('choose', (choice) => this.connection?.choose(choice));
    tabs.on('wake', () => this.connection?.wake());
  }

  get view(): PresenceView {
    return this.observable.view;
  }

  subscribe(listener: (view: PresenceView) => void): () => void {
    return this.observable.subscribe(listener);
  }

  start(): void {
    this.running = true;
    this.tabs.start();
    if (this.tabs.leads) this.setRole(true);
    else this.sendOwnState();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.watchTimer);
    this.setRole(false);
    this.observable.update({ socket: { name: 'stopped' } });
  }

  wake(): void {
    this.connection?.wake();
  }

  dropConnection(): void {
    this.connection?.dropConnection();
  }

  watch(kind: WatchKind, id: Id): () => void {
    this.changeCount(kind, id, 1);
    return () => this.changeCount(kind, id, -1);
  }

  setTyping(conversation: Id, on: boolean): void {
    if (this.connection) this.connection.setTyping(conversation, on);
    else this.tabs.send('types', { conversation, on });
  }

  setIdle(idle: boolean): void {
    this.idle = idle;
    if (this.watchUnion) this.watchUnion.setIdle(this.tabs.id, idle);
    else this.tabs.send('idles', idle);
  }

  choose(choice: Choice): void {
    if (this.connection) return this.connection.choose(choice);
    const { you } = this.view;
    if (you) this.observable.update({ you: predictOwn(you, choice, this.idle) });
    // sent again to the next leader, unless this user's status already shows it
    this.unsentChoice = choice;
    this.tabs.send('choose', choice);
  }

  private setRole(leads: boolean): void {
    this.connection?.stop();
    [this.connection, this.watchUnion] = [null, null];
    if (!leads) return;
    this.connection = this.make(this.view);
    this.watchUnion = new WatchUnion(this.connection);
    this.sendOwnState();
    this.connection.subscribe((view) => this.publish(view));
    this.connection.start();
  }

  private publish(view: PresenceView): void {
    const change = diffViews(this.view, view);
    if (!Object.keys(change).length) return;
    this.tabs.send('line', change);
    this.observable.update(view);
  }

  /** Send what this tab watches and does to a leader that does not know this tab. */
  private sendOwnState(): void {
    if (!this.running) return;
    this.sendWatches();
    this.setIdle(this.idle);
    if (this.unsentChoice && !isSameChoice(this.unsentChoice, this.view.you)) this.choose(this.unsentChoice);
    this.unsentChoice = null;
  }

  private changeCount(kind: WatchKind, id: Id, by: number): void {
    const left = (this.watchCounts[kind].get(id) ?? 0) + by;
    if (left > 0) this.watchCounts[kind].set(id, left);
    else this.watchCounts[kind].delete(id);
    this.watchTimer ??= setTimeout(() => this.sendWatches(), WATCH_DELAY);
  }

  private sendWatches(): void {
    clearTimeout(this.watchTimer);
    this.watchTimer = undefined;
    const { users, conversations } = this.watchCounts;
    const watches: TabWatches = { users: [...users.keys()], conversations: [...conversations.keys()] };
    if (this.watchUnion) this.watchUnion.watch(this.tabs.id, watches);
    else this.tabs.send('watch', watches);
  }
}

function isSameChoice(choice: Choice, now: Choice | null): boolean {
  return now?.mode === choice.mode && now.text === choice.text && now.emoji === choice.emoji;
}

/** Return the change from one view to the other. */
export function diffViews(before: PresenceView, after: PresenceView): PresenceChange {
  const { people: _, ...rest } = after;
  const fields = Object.entries(rest).filter(([name, value]) => before[name as keyof PresenceView] !== value);
  const people = [...after.people.values()].filter((one) => before.people.get(one.id) !== one);
  const gone = [...before.people.keys()].filter((id) => !after.people.has(id));
  return {
    ...(Object.fromEntries(fields) as PresenceChange),
    ...(people.length && { people }),
    ...(gone.length && { gone }),
  };
}

/** Return the view after a change. */
export function applyChange(view: PresenceView, { people, gone, ...rest }: PresenceChange): PresenceView {
  if (!people && !gone) return { ...view, ...rest };
  const all = new Map(view.people);
  for (const id of gone ?? []) all.delete(id);
  for (const one of people ?? []) all.set(one.id, one);
  return { ...view, ...rest, people: all };
}
