/** The times of reminders: later today, tomorrow morning, and the next Monday that is not tomorrow. */
import { expect, test } from 'vitest';
import { localInput, sendTimes, times } from './remind-times';

const shown = (now: Date) => Object.fromEntries(times(now).map(({ name, at }) => [name, localInput(at)]));

test('on a Wednesday evening', () => {
  expect(shown(new Date(2026, 10, 25, 22, 30))).toEqual({
    soon: '2026-11-25T22:50',
    hour: '2026-11-25T23:30',
    later: '2026-11-26T01:30',
    tomorrow: '2026-11-26T09:00',
    week: '2026-11-30T09:00',
  });
});

test('on a Sunday and a Monday, next week begins on the Monday after', () => {
  expect(shown(new Date(2026, 10, 29, 8, 5))['week']).toBe('2026-12-07T09:00');
  expect(shown(new Date(2026, 10, 30, 8, 5))['week']).toBe('2026-12-07T09:00');
});

test('a message is sent in the morning of tomorrow and of Monday, which are one choice on a Sunday', () => {
  const sent = (now: Date) => sendTimes(now).map(({ name, at }) => `${name} ${localInput(at)}`);
  expect(sent(new Date(2026, 10, 25, 22, 30))).toEqual(['soon 2026-11-25T22:50', 'tomorrow 2026-11-26T09:00', 'monday 2026-11-30T09:00']);
  expect(sent(new Date(2026, 10, 29, 8, 5))).toEqual(['soon 2026-11-29T08:25', 'tomorrow 2026-11-30T09:00']);
});
