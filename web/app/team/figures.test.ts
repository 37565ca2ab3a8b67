import { expect, it } from 'vitest';
import { barsOf, busiestOf, columnsOfDays, startOf, sumOfDays } from './figures';

const days = [
  { day: '2026-11-28', messages: 7 },
  { day: '2026-11-29', messages: 2 },
  { day: '2026-11-30', messages: 7 },
];

it('shows a day in UTC as the same date here, in every time zone', () => {
  expect(days.map(({ day }) => startOf(day).getDate())).toEqual([28, 29, 30]);
  const [times, counts] = columnsOfDays(days);
  expect(times.map((at) => new Date(at * 1000).getHours())).toEqual([0, 0, 0]);
  expect(counts).toEqual([7, 2, 7]);
});

it('sums the days, and finds the latest of those with most messages', () => {
  expect(sumOfDays(days)).toBe(16);
  expect(busiestOf(days)?.day).toBe('2026-11-30');
  expect(busiestOf([])).toBeUndefined();
});

it('names public channels, and shows all others together', () => {
  const none = { conversations: 0, messages: 0 };
  const found = { total: 9, days, channels: [{ id: 3, name: 'kitchen', messages: 5 }], other_channels: none, private: none };
  const bars = (more: object) => barsOf({ ...found, ...more }, (count) => `${count} more`, 'private');
  expect(bars({})).toEqual([{ key: '3', name: 'kitchen', href: '/c/3', messages: 5 }]);
  const [, others, hidden] = bars({ other_channels: { conversations: 2, messages: 3 }, private: { conversations: 9, messages: 4 } });
  expect(others).toEqual({ key: 'public', name: '2 more', href: null, messages: 3 });
  expect(hidden).toEqual({ key: 'private', name: 'private', href: null, messages: 4 });
});
