/** Presence in words, and when a status ends. */
import { expect, test } from 'vitest';
import { endOf, type Until } from './until';
import { accountLine, ago, describe, type Look, messageOf, typingWords } from './labels';

const now = Date.parse('2026-03-04T15:20:00Z');
const look = (fields: Partial<Look>): Look => ({
  ...{ status: 'online', text: '', emoji: '', until: null, last_active_at: null, devices: 1 },
  ...fields,
});

test.each([
  ['2026-03-04T15:19:30Z', 'just now'],
  ['2026-03-04T15:14:59Z', '5 min ago'],
  ['2026-03-04T12:20:00Z', '3 h ago'],
  ['2026-03-03T12:20:00Z', 'yesterday'],
  ['2026-03-01T12:20:00Z', '3 days ago'],
  ['2026-03-04T15:30:00Z', 'just now'],
])('%s was %s', (iso, words) => {
  expect(ago(iso, now)).toBe(words);
});

test('the last activity is shown for users who are away or offline', () => {
  const last_active_at = '2026-03-04T15:15:00Z';
  expect(describe(look({ last_active_at }), now)).toBe('Online');
  expect(describe(look({ status: 'away', last_active_at }), now)).toBe('Away, active 5 min ago');
  expect(describe(look({ status: 'offline', last_active_at }), now)).toBe('Offline, active 5 min ago');
  expect(describe(look({ status: 'offline' }), now)).toBe('Offline');
});

test('a status message is shown until it expires', () => {
  const message = look({ emoji: '🎧', text: 'Focus', until: '2026-03-04T15:20:00Z' });
  expect(messageOf(message, now - 1)).toBe('🎧 Focus');
  expect(messageOf(message, now)).toBe('');
});

test('a user who is invisible or must not be disturbed reads that, with a status message too', () => {
  expect(accountLine(look({ text: 'Focus' }), now)).toBe('Focus');
  expect(accountLine(look({ status: 'invisible', text: 'Focus' }), now)).toBe('Invisible · Focus');
  expect(accountLine(look({ status: 'dnd' }), now)).toBe('Do not disturb');
});

test('names two typing users and counts the others', () => {
  expect(typingWords([])).toBe('');
  expect(typingWords(['Ben'])).toBe('Ben is typing…');
  expect(typingWords(['Ben', 'Chloe'])).toBe('Ben and Chloe are typing…');
  expect(typingWords(['Ben', 'Chloe', 'Dan'])).toBe('Ben, Chloe and 1 other are typing…');
  expect(typingWords(['Ben', 'Chloe', 'Dan', 'Eve'])).toBe('Ben, Chloe and 2 others are typing…');
});

test('today ends at midnight, this week on Monday at midnight', () => {
  const at = (until: Until, date: Date) => endOf(until, date);
  const wednesday = new Date(2026, 2, 4, 15, 20);
  expect(at('open', wednesday)).toBeNull();
  expect(at('half', wednesday)).toBe(new Date(2026, 2, 4, 15, 50).toISOString());
  expect(at('today', wednesday)).toBe(new Date(2026, 2, 5).toISOString());
  expect(at('week', wednesday)).toBe(new Date(2026, 2, 9).toISOString());
  expect(at('week', new Date(2026, 2, 8, 12))).toBe(new Date(2026, 2, 9).toISOString());
  expect(at('week', new Date(2026, 2, 9, 12))).toBe(new Date(2026, 2, 16).toISOString());
});
