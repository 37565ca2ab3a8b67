/**
 * Combines all tabs of a browser on one connection: together they watch everything that any of them shows, and are
 * idle when all are.
 */
import type { PresenceConnection, WatchKind } from '../presence/connection';
import type { Id } from '../types';
import type { TabWatches } from './messages';

const KINDS: WatchKind[] = ['users', 'conversations'];

export class WatchUnion {
  private readonly watches = new Map<string, Map<string, () => void>>();
  private readonly idleTabs = new Map<string, boolean>();
  private reportedIdle = false;

  constructor(private readonly connection: PresenceConnection) {}

  /** Replace what a tab watches. */
  watch(tab: string, watches: TabWatches): void {
    const before = this.watches.get(tab) ?? new Map<string, () => void>();
    const now = new Map<string, () => void>();
    for (const kind of KINDS)
      for (const id of watches[kind]) now.set(`${kind} ${id}`, before.get(`${kind} ${id}`) ?? this.enter(kind, id));
    for (const [key, leave] of before) if (!now.has(key)) leave();
    this.watches.set(tab, now);
  }

  setIdle(tab: string, idle: boolean): void {
    this.idleTabs.set(tab, idle);
    this.reportIdle();
  }

  /** Remove a closed tab and what it watches. */
  removeTab(tab: string): void {
    this.watch(tab, { users: [], conversations: [] });
    this.watches.delete(tab);
    this.idleTabs.delete(tab);
    this.reportIdle();
  }

  private enter(kind: WatchKind, id: Id): () => void {
    return this.connection.watch(kind, id);
  }

  private reportIdle(): void {
    const idle = this.idleTabs.size > 0 && [...this.idleTabs.values()].every(Boolean);
    if (idle === this.reportedIdle) return;
    this.reportedIdle = idle;
    this.connection.setIdle(idle);
  }
}
