/**
 * Deltas: records of people, merged by version. Pure. In whatever order snapshots and deltas arrive, and
 * however often, the outcome is the same, and equal to a fresh snapshot. The server's twin
 * (`presence/records.py`) passes the same `tests/presence/cases/delta.json`.
 */
import type { Id } from '../types';
import type { PresenceRecord } from './protocol';

export type People = Map<Id, PresenceRecord>;

/** Takes into `people` what is newer than what it holds; returns what was. Merging again returns nothing. */
export function merge(people: People, records: PresenceRecord[]): PresenceRecord[] {
  return records.filter((record) => {
    const known = people.get(record.id);
    const newer = !known || known.version < record.version;
    if (newer) people.set(record.id, record);
    return newer;
  });
}

/** Nobody looks at these people any more, or they may no longer be seen. */
export function forget(people: People, ids: Iterable<Id>): void {
  for (const id of ids) people.delete(id);
}
