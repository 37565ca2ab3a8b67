/** What happens in a conversation beside its messages. */
import { expect, test } from 'vitest';
import type { Entry, Role } from '../../client';
import { type Before, type Happening, withEntry } from './happenings';

const before = (more: Partial<Before> = {}): Before => ({
  conversation: { last_seq: 4, name: 'kitchen', kind: 'channel' },
  roles: undefined,
  messages: [{ author: 3 }],
  ...more,
});
const member = (id: string, user: number, role: Role | null): Entry => ({ event: 'member', id, data: { conversation: 1, user, role } });
const named = (id: string, name: string) => ({ event: 'conversation', id, data: { id: 1, name } }) as Entry;
const read = (entries: Entry[], known = before()) => entries.reduce<readonly Happening[]>((all, entry) => withEntry(all, entry, known), []);

test('members who join one after another are one line, at its place among the messages', () => {
  expect(read([member('1', 7, 'member'), member('2', 8, 'member'), member('3', 7, null)])).toEqual([
    { after: 4, key: '1', kind: 'joined', users: [7, 8] },
    { after: 4, key: '3', kind: 'left', users: [7] },
  ]);
});

test('a new role is no news', () => {
  expect(read([member('1', 7, 'admin'), member('2', 3, 'member')])).toEqual([]);
  expect(read([member('1', 7, 'member')], before({ roles: new Map([[7, 'admin']]) }))).toEqual([]);
  expect(read([member('1', 7, 'member')], before({ roles: new Map() }))).toHaveLength(1);
});

test('a new name is told, other changes are not', () => {
  expect(read([named('1', 'garden'), named('2', 'kitchen')])).toEqual([{ after: 4, key: '1', kind: 'renamed', name: 'garden' }]);
});

test('a repeated entry changes nothing, and there is a limit', () => {
  const many = Array.from({ length: 200 }, (_, n) => member(String(n), 7, n % 2 ? null : 'member'));
  expect(read([...many, ...many])).toHaveLength(50);
});

test('direct messages have no members who come and go', () => {
  const direct = before({ conversation: { last_seq: 4, name: '', kind: 'direct' } });
  expect(read([member('1', 7, null)], direct)).toEqual([]);
});
