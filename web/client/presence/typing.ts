/**
 * Users who are typing, by conversation. Each list from the server replaces the one before and expires by itself.
 * Pure.
 */
import type { Id } from '../types';

/** Milliseconds after which a list that was not renewed expires. */
export const TYPING_TIMEOUT = 6_000;

export class TypingLists {
  private readonly lists = new Map<Id, { users: Id[]; until: number }>();

  take(conversation: Id, users: Id[], now: number): void {
    if (users.length) this.lists.set(conversation, { users, until: now + TYPING_TIMEOUT });
    else this.lists.delete(conversation);
  }

  clear(): void {
    this.lists.clear();
  }

  /** Return the lists in force, without this user. */
  at(now: number, me: Id): ReadonlyMap<Id, Id[]> {
    for (const [id, { until }] of this.lists) if (until <= now) this.lists.delete(id);
    const others = [...this.lists].map(([id, { users }]) => [id, users.filter((one) => one !== me)] as const);
    return new Map(others.filter(([, users]) => users.length));
  }

  /** Return when the next list expires, or Infinity. */
  get nextExpiry(): number {
    return Math.min(...[...this.lists.values()].map((list) => list.until));
  }
}
