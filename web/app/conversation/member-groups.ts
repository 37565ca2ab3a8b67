/** A conversation's members by how they are here. Pure. */
import type { Id } from '../../client';
import type { Look, Seen } from '../presence/labels';

export interface Group {
  title: string;
  people: Id[];
}

const titles: [string, Seen[]][] = [
  ['Online', ['online']],
  ['Away', ['away']],
  ['Do not disturb', ['dnd']],
  ['Offline', ['offline', 'invisible']],
  ['Not known', ['unknown']],
];

/** In each group by name; whom nothing is known of yet counts as not known. Empty groups are left out. */
export function groupsOf(members: Id[], look: (id: Id) => Look | null, name: (id: Id) => string): Group[] {
  const sorted = [...members].sort((a, b) => name(a).localeCompare(name(b)));
  const seen = new Map(sorted.map((id) => [id, look(id)?.status ?? 'unknown']));
  return titles
    .map(([title, statuses]) => ({ title, people: sorted.filter((id) => statuses.includes(seen.get(id) ?? 'unknown')) }))
    .filter((group) => group.people.length);
}
