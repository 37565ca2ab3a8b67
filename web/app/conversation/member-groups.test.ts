/** Members in groups. */
import { expect, test } from 'vitest';
import type { Look, Seen } from '../presence/labels';
import { groupsOf } from './member-groups';

test('members are grouped by status, and sorted by name', () => {
  const statuses: Record<number, Seen> = { 1: 'online', 2: 'offline', 3: 'online', 4: 'dnd' };
  const look = (id: number) => {
    const status = statuses[id];
    return status ? ({ status } as Look) : null;
  };
  const names = ['', 'Zoe', 'Ben', 'Ana', 'Dan', 'Eve'];
  expect(groupsOf([1, 2, 3, 4, 5], look, (id) => names[id] ?? '')).toEqual([
    { title: 'Online', people: [3, 1] },
    { title: 'Do not disturb', people: [4] },
    { title: 'Offline', people: [2] },
    { title: 'Unknown', people: [5] },
  ]);
});
