/** Members in groups. */
import { expect, test } from 'vitest';
import type { PresenceRecord } from '../../client';
import type { Look, Seen } from '../presence/labels';
import { Counted, groupsOf } from './member-groups';

const record = (id: number, status: PresenceRecord['status']): PresenceRecord => ({
  ...{ id, status, text: '', emoji: '', until: null, last_active_at: null, devices: 1, version: 1 },
});
const nothing = new Counted(null);

test('members are grouped by status, and sorted by name', () => {
  const statuses: Record<number, Seen> = { 1: 'online', 2: 'offline', 3: 'online', 4: 'dnd' };
  const look = (id: number) => {
    const status = statuses[id];
    return status ? ({ status } as Look) : null;
  };
  const names = ['', 'Zoe', 'Ben', 'Ana', 'Dan', 'Eve'];
  expect(groupsOf([1, 2, 3, 4, 5], look, (id) => names[id] ?? '', nothing)).toEqual([
    { title: 'Online', people: [3, 1], count: 2 },
    { title: 'Do not disturb', people: [4], count: 1 },
    { title: 'Offline', people: [2], count: 1 },
    { title: 'Unknown', people: [5], count: 1 },
  ]);
});

test('a member of a large channel who is online is in the group, although the screen does not show them', () => {
  const members = Array.from({ length: 503 }, (_, n) => n + 1);
  const present = { members: 503, online: 2, dnd: 0, away: 1, complete: true, users: [record(500, 'online'), record(7, 'online'), record(503, 'away')] };
  const watched = (id: number) => (id === 7 ? ({ status: 'dnd' } as Look) : null);
  const groups = groupsOf(members, watched, (id) => String(id).padStart(3, '0'), new Counted(present));
  expect(groups.map(({ title, people, count }) => [title, people.slice(0, 2), count])).toEqual([
    ['Online', [500], 1],
    ['Away', [503], 1],
    ['Do not disturb', [7], 1],
    ['Offline', [1, 2], 500],
  ]);
});

test('if not all who are present were listed, they are counted, and the others are not called offline', () => {
  const present = { members: 9_000, online: 4_000, dnd: 0, away: 0, complete: false, users: [record(900, 'online')] };
  expect(groupsOf([1], () => null, String, new Counted(present))).toEqual([
    { title: 'Online', people: [900], count: 4_000 },
    { title: 'Unknown', people: [1], count: 1 },
  ]);
});
