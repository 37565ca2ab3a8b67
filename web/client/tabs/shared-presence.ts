/**
 * One presence socket for all tabs. The leader holds it, watches for everybody, and tells what changes; the
 * others see the same through it, and speak by way of it.
 */
import { Live } from '../observable';
import { type Kind, type Line, noView, predict, type PresenceView } from '../presence/connection';
import type { Choice } from '../presence/protocol';
import type { Id } from '../types';
import { Guests } from './watch-union';
import type { LineChange, Watches } from './messages';
import type { Tabs } from './tabs';

/** Milliseconds in which what scrolls past is gathered into one letter. */
const GATHER = 30;

export class SharedLine implements Line {
  private readonly live = new Live<PresenceView>(noView());
  private readonly wanted: Record<Kind, Map<Id, number>> = { users: new Map(), conversations: new Map() };
  private line: Line | null = null;
  private guests: Guests | null = null;
  private idle = false;
  private unsaid: Choice | null = null;
  private running = false;
  private gathering: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly tabs: Tabs,
    private readonly make: (view: PresenceView) => Line,
  ) {
    tabs.onRole((leads) => this.running && this.turn(leads));
    tabs.onGone((tab) => this.guests?.gone(tab));
    tabs.on('hello', (_, from) => this.line && tabs.tell('line', changeOf(noView(), this.view), from));
    tabs.on('lead', () => this.introduce());
    tabs.on('line', (change) => this.live.become(changed(this.view, change)));
    tabs.on('watch', (watches, from) => this.guests?.watch(from, watches));
    tabs.on('idles', (idle, from) => this.guests?.idles(from, idle));
    tabs.on('types', ({ conversation, on }) => this.line?.types(conversation, on));
    tabs.on('choose', (choice) => this.line?.choose(choice));
    tabs.on('wake', () => this.line?.wake());
  }

  get view(): PresenceView {
    return this.live.view;
  }

  subscribe(listener: (view: PresenceView) => void): () => void {
    return this.live.subscribe(listener);
  }

  start(): void {
    this.running = true;
    this.tabs.start();
    if (this.tabs.leads) this.turn(true);
    else this.introduce();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.gathering);
    this.turn(false);
    this.live.become({ socket: { name: 'stopped' } });
  }

  wake(): void {
    this.line?.wake();
  }

  cut(): void {
    this.line?.cut();
  }

  watch(kind: Kind, id: Id): () => void {
    this.count(kind, id, 1);
    return () => this.count(kind, id, -1);
  }

  types(conversation: Id, on: boolean): void {
    if (this.line) this.line.types(conversation, on);
    else this.tabs.tell('types', { conversation, on });
  }

  idles(idle: boolean): void {
    this.idle = idle;
    if (this.guests) this.guests.idles(this.tabs.id, idle);
    else this.tabs.tell('idles', idle);
  }

  choose(choice: Choice): void {
    if (this.line) return this.line.choose(choice);
    const { you } = this.view;
    if (you) this.live.become({ you: predict(you, choice, this.idle) });
    // said again to the next leader, unless it comes back as what this person is
    this.unsaid = choice;
    this.tabs.tell('choose', choice);
  }

  private turn(leads: boolean): void {
    this.line?.stop();
    [this.line, this.guests] = [null, null];
    if (!leads) return;
    this.line = this.make(this.view);
    this.guests = new Guests(this.line);
    this.introduce();
    this.line.subscribe((view) => this.show(view));
    this.line.start();
  }

  private show(view: PresenceView): void {
    const change = changeOf(this.view, view);
    if (!Object.keys(change).length) return;
    this.tabs.tell('line', change);
    this.live.become(view);
  }

  /** Tells a leader who knows nothing of this tab yet. */
  private introduce(): void {
    if (!this.running) return;
    this.tellWatches();
    this.idles(this.idle);
    if (this.unsaid && !equal(this.unsaid, this.view.you)) this.choose(this.unsaid);
    this.unsaid = null;
  }

  private count(kind: Kind, id: Id, by: number): void {
    const left = (this.wanted[kind].get(id) ?? 0) + by;
    if (left > 0) this.wanted[kind].set(id, left);
    else this.wanted[kind].delete(id);
    this.gathering ??= setTimeout(() => this.tellWatches(), GATHER);
  }

  private tellWatches(): void {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    const { users, conversations } = this.wanted;
    const watches: Watches = { users: [...users.keys()], conversations: [...conversations.keys()] };
    if (this.guests) this.guests.watch(this.tabs.id, watches);
    else this.tabs.tell('watch', watches);
  }
}

function equal(choice: Choice, now: Choice | null): boolean {
  return now?.mode === choice.mode && now.text === choice.text && now.emoji === choice.emoji;
}

/** What makes the one view the other. */
export function changeOf(before: PresenceView, after: PresenceView): LineChange {
  const { people: _, ...rest } = after;
  const fields = Object.entries(rest).filter(([name, value]) => before[name as keyof PresenceView] !== value);
  const people = [...after.people.values()].filter((one) => before.people.get(one.id) !== one);
  const gone = [...before.people.keys()].filter((id) => !after.people.has(id));
  return {
    ...(Object.fromEntries(fields) as LineChange),
    ...(people.length && { people }),
    ...(gone.length && { gone }),
  };
}

/** The view after a change. */
export function changed(view: PresenceView, { people, gone, ...rest }: LineChange): PresenceView {
  if (!people && !gone) return { ...view, ...rest };
  const all = new Map(view.people);
  for (const id of gone ?? []) all.delete(id);
  for (const one of people ?? []) all.set(one.id, one);
  return { ...view, ...rest, people: all };
}
