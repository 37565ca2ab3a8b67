/** A conversation's members, grouped by status. Pure. */
import type { Id } from '../../client';
import { type Look, type Seen, statusNames } from '../presence/labels';

export interface Group {
  title: string;
  people: Id[];
}

const titles: [string, Seen[]][] = [
  [statusNames.online, ['online']],
  [statusNames.away, ['away']],
  [statusNames.dnd, ['dnd']],
  [statusNames.offline, ['offline', 'invisible']],
  [statusNames.unknown, ['unknown']],
];

/** Group the members, each group sorted by name. Members without a known presence are in the last group. Empty groups are left out. */
export function groupsOf(members: Id[], look: (id: Id) => Look | null, name: (id: Id) => string): Group[] {
  const sorted = [...members].sort((a, b) => name(a).localeCompare(name(b)));
  const seen = new Map(sorted.map((id) => [id, look(id)?.status ?? 'unknown']));
  return titles
    .map(([title, statuses]) => ({ title, people: sorted.filter((id) => statuses.includes(seen.get(id) ?? 'unknown')) }))
    .filter((group) => group.people.length);
}
