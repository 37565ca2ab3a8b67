/** The arrangement of the list: sections, order, what a collapsed section shows, and the rows on the screen. */
import { expect, test } from 'vitest';
import { type Conversation, sidebar as arrange, type Sidebar } from '../../client';
import { makeChannel } from '../../client/testing/fixtures';
import { defaultSidebar } from '../../client/sidebar';
import { moved, NameOrder, neighbor, partsOf, rangeOf, rowsOf } from './sections';

const channel = (id: number, name: string, unread = 0) => makeChannel({ id, name, unread });
const direct = (id: number, name: string, unread = 0) => makeChannel({ id, name, unread, kind: 'direct' });
const all = [channel(1, 'zoo'), channel(2, 'Garden', 3), direct(3, 'Émile'), channel(4, 'room 10'), channel(5, 'room 9', 1), direct(6, 'Ada', 1)];
const names = new NameOrder();

function arranged(sidebar: Sidebar = defaultSidebar, open: number | null = null, conversations: Conversation[] = all) {
  const ranks = names.ranksOf(conversations, (one) => one.name);
  return partsOf({ sidebar, conversations, rank: (id) => ranks.get(id) ?? 0, isUnread: (one) => one.unread > 0, open });
}

const shown = (parts: ReturnType<typeof partsOf>) => parts.map((part) => [part.section.id, ...part.conversations.map((one) => one.id)]);

test('channels and direct messages are sorted by name', () => {
  expect(shown(arranged())).toEqual([['channels', 2, 5, 4, 1], ['direct', 6, 3]]);
});

test('other orders: latest first, and unread first', () => {
  const recent = arrange.order({ order: 'recent' })(defaultSidebar);
  expect(shown(arranged(recent))).toEqual([['channels', 1, 2, 4, 5], ['direct', 3, 6]]);
  expect(shown(arranged(arrange.order({ unread_first: true })(recent)))).toEqual([['channels', 2, 5, 1, 4], ['direct', 6, 3]]);
});

test('a conversation is where it was moved, and an empty section of the user stays', () => {
  const own = arrange.place(3, 'starred')(arrange.addSection('w', 'Work')(defaultSidebar));
  expect(shown(arranged(own))).toEqual([['starred', 3], ['w'], ['channels', 2, 5, 4, 1], ['direct', 6]]);
});

test('a collapsed section shows what is unread or open', () => {
  const folded = arrange.changeSection('channels', { collapsed: true })(defaultSidebar);
  const [channels] = arranged(folded, 1);
  expect(channels?.conversations.map((one) => one.id)).toEqual([2, 5, 1]);
  expect(channels?.size).toBe(4);
});

test('the order by name changes with a name, and not with a message', () => {
  const before = names.ranksOf(all, (one) => one.name);
  expect(names.ranksOf([...all].reverse(), (one) => one.name)).toBe(before);
  expect(names.ranksOf(all, (one) => (one.id === 1 ? 'aquarium' : one.name))).not.toBe(before);
});

test('the neighbors of a conversation, all or unread ones, around the ends', () => {
  const parts = arranged();
  const unread = (one: Conversation) => one.unread > 0;
  expect(rowsOf(parts)).toEqual(['schannels', 'c2', 'c5', 'c4', 'c1', 'sdirect', 'c6', 'c3']);
  expect(neighbor(parts, 1, 1, () => true)?.id).toBe(6);
  expect(neighbor(parts, 2, -1, () => true)?.id).toBe(3);
  expect(neighbor(parts, 4, 1, unread)?.id).toBe(6);
  expect(neighbor(parts, 6, 1, unread)?.id).toBe(2);
  expect(neighbor(parts, null, 1, unread)?.id).toBe(2);
  expect(neighbor(parts, null, -1, () => true)?.id).toBe(3);
  expect(neighbor(parts, 2, 1, (one) => one.id === 2)).toBeUndefined();
});

test('only rows near the screen are in the page', () => {
  expect(rangeOf(1_000, 0, 33, 0, 660, 12)).toEqual({ first: 0, end: 32 });
  expect(rangeOf(1_000, 100, 33, 3_400, 660, 12)).toEqual({ first: 88, end: 132 });
  expect(rangeOf(10, 5_000, 33, 0, 660, 12)).toEqual({ first: 0, end: 0 });
  expect(rangeOf(10, 0, 33, 5_000, 660, 12)).toEqual({ first: 10, end: 10 });
});

test('a section moves past the next one that is shown', () => {
  const own = arrange.addSection('w', 'Work')(defaultSidebar);
  const visible = ({ id }: { id: string }) => id !== 'starred';
  expect(moved(own, 'w', -1, visible)).toBeUndefined();
  expect(moved(own, 'w', 1, visible)).toBe('direct');
  expect(moved(own, 'channels', 1, visible)).toBeNull();
  expect(moved(own, 'direct', 1, visible)).toBeUndefined();
  expect(moved(own, 'channels', -1, visible)).toBe('w');
});
