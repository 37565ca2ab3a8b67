/** A conversation's members, grouped by status. Pure. */
import type { Id, PresenceRecord } from '../../client';
import type { PresentMembers } from '../../client/schema';
import { type Look, type Seen, statusName } from '../presence/labels';

export interface Group {
  title: string;
  people: Id[];
  /** How many members are in it; more than `people` if the server did not list all. */
  count: number;
}

const statuses: [Seen, ...Seen[]][] = [['online'], ['away'], ['dnd'], ['offline', 'invisible'], ['unknown']];

const OFFLINE = { status: 'offline', text: '', emoji: '', until: null, last_active_at: null, devices: 0 } as const;

/** What the server counted in a conversation. */
export class Counted {
  private readonly records: ReadonlyMap<Id, PresenceRecord>;

  constructor(private readonly present: PresentMembers | null) {
    this.records = new Map(present?.users.map((record) => [record.id, record]));
  }

  get ids(): Id[] {
    return [...this.records.keys()];
  }

  /** True if the list has everyone who is present, so that all others are offline. */
  get isWhole(): boolean {
    const { complete, online, dnd, away } = this.present ?? { complete: false, online: 0, dnd: 0, away: 0 };
    return complete && online + dnd + away === this.records.size;
  }

  /** Return the presence of a member as it was counted, or null if that is unknown. */
  of(id: Id): Look | null {
    return this.records.get(id) ?? (this.isWhole ? OFFLINE : null);
  }

  /** Return how many members have this status, or 0 if that is unknown. */
  count(status: Seen): number {
    return status === 'online' || status === 'dnd' || status === 'away' ? (this.present?.[status] ?? 0) : 0;
  }
}

/**
 * Group the members, each group sorted by name. `look` returns what the screen watches; other members are where the
 * server counted them, because a large conversation never fits on the screen. Empty groups are left out.
 */
export function groupsOf(members: Id[], look: (id: Id) => Look | null, name: (id: Id) => string, counted: Counted): Group[] {
  const all = [...new Set([...members, ...counted.ids])].map((id) => ({ id, name: name(id) }));
  const sorted = all.sort((a, b) => a.name.localeCompare(b.name)).map(({ id }) => id);
  const seen = new Map(sorted.map((id) => [id, (look(id) ?? counted.of(id))?.status ?? 'unknown']));
  return statuses
    .map((group) => {
      const people = sorted.filter((id) => group.includes(seen.get(id) ?? 'unknown'));
      const all = counted.isWhole ? 0 : counted.count(group[0]);
      return { title: statusName(group[0]), people, count: Math.max(people.length, all) };
    })
    .filter((group) => group.people.length);
}
