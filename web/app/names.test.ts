/** Names, initials, days and matches, in several scripts. */
import { expect, test } from 'vitest';
import type { Conversation } from '../client';
import { makeChannel, makeUser } from '../client/testing/fixtures';
import { score } from './switcher/match';
import { byRecency, initialsOf, titleOf } from './names';
import { dayName } from './time';

test.each([
  ['Ana Ferreira', 'AF'],
  ['ben', 'B'],
  ['Anna Maria de Souza', 'AS'],
  ['Дмитрий Волков', 'ДВ'],
  ['渡辺 恵美', '渡恵'],
  ['فريد حداد', 'فح'],
  ['jo-ann_x', 'JX'],
  ['👋', '?'],
  ['', '?'],
])('initials of %s', (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});

const people = new Map([
  [1, makeUser(1, 'ana', 'Ana')],
  [2, makeUser(2, 'ben', '')],
]);
const talk = (change: Partial<Conversation>): Conversation => makeChannel({ id: 1, kind: 'direct', name: '', ...change });

test('a conversation without a name is named after its other members', () => {
  expect(titleOf(talk({ members: [1, 2] }), people, 1)).toBe('ben');
  expect(titleOf(talk({ members: [1] }), people, 1)).toBe('Ana (you)');
  expect(titleOf(talk({ kind: 'group', members: [1, 2, 3] }), people, 1)).toBe('ben, …');
  expect(titleOf(talk({ kind: 'channel', name: 'general' }), people, 1)).toBe('general');
});

test('the conversation with the newest message comes first', () => {
  const spoke = (id: number, created_at: string) =>
    talk({ id, last_message: { conversation: id, seq: 1, author: 1, body: '', client_id: '', created_at } });
  const list = [
    spoke(1, '2026-01-01T00:00:00Z'),
    spoke(2, '2026-02-01T00:00:00Z'),
    talk({ id: 3, created_at: '2026-03-01T00:00:00Z' }),
    talk({ id: 4 }),
  ];
  expect(list.sort(byRecency).map((one) => one.id)).toEqual([3, 2, 1, 4]);
});

test('days are named relative to the local day of the reader', () => {
  const now = new Date(2026, 4, 14, 12);
  const day = (year: number, month: number, date: number) =>
    dayName(new Date(year, month, date, 8).toISOString(), now);
  expect([day(2026, 4, 14), day(2026, 4, 13)]).toEqual(['Today', 'Yesterday']);
  expect(day(2026, 4, 1)).not.toContain('2026');
  expect(day(2025, 4, 1)).toContain('2025');
});

test('matches letters in order, best at the starts of words, ignoring case and accents', () => {
  expect(score('Chloé Martin', 'chloe')).not.toBeNull();
  expect(score('general', 'xyz')).toBeNull();
  expect(score('release-planning', 'rp') ?? 0).toBeGreaterThan(score('carpet', 'rp') ?? 0);
});
