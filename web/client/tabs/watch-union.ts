/** What the tabs of a browser do on one line: together they watch all that any of them shows, and idle when all do. */
import type { Kind, Line } from '../presence/connection';
import type { Id } from '../types';
import type { Watches } from './messages';

const KINDS: Kind[] = ['users', 'conversations'];

export class Guests {
  private readonly watching = new Map<string, Map<string, () => void>>();
  private readonly idling = new Map<string, boolean>();
  private said = false;

  constructor(private readonly line: Line) {}

  /** This is all that the tab shows. */
  watch(tab: string, watches: Watches): void {
    const before = this.watching.get(tab) ?? new Map<string, () => void>();
    const now = new Map<string, () => void>();
    for (const kind of KINDS)
      for (const id of watches[kind]) now.set(`${kind} ${id}`, before.get(`${kind} ${id}`) ?? this.enter(kind, id));
    for (const [key, leave] of before) if (!now.has(key)) leave();
    this.watching.set(tab, now);
  }

  idles(tab: string, idle: boolean): void {
    this.idling.set(tab, idle);
    this.look();
  }

  /** The tab has gone, and so has all that it showed. */
  gone(tab: string): void {
    this.watch(tab, { users: [], conversations: [] });
    this.watching.delete(tab);
    this.idling.delete(tab);
    this.look();
  }

  private enter(kind: Kind, id: Id): () => void {
    return this.line.watch(kind, id);
  }

  private look(): void {
    const idle = this.idling.size > 0 && [...this.idling.values()].every(Boolean);
    if (idle === this.said) return;
    this.said = idle;
    this.line.idles(idle);
  }
}
