/** Mentions of everyone. */
import { expect, test } from 'vitest';
import { asksFirst } from './everyone';

const channel = { kind: 'channel' as const };

test('a mention of everyone asks first, unless the conversation is small', () => {
  expect(asksFirst('@channel lunch', channel, 8)).toBe('channel');
  expect(asksFirst('@here lunch', channel, undefined)).toBe('here');
  expect(asksFirst('@channel lunch', channel, 5)).toBeNull();
  expect(asksFirst('@channel lunch', { kind: 'group', members: [1, 2, 3] }, undefined)).toBeNull();
  expect(asksFirst('@channel', { kind: 'direct' }, undefined)).toBeNull();
});

test('a mention in code or a quote notifies no one, so it does not ask', () => {
  expect(asksFirst('`@channel` and\n> @here', channel, 8)).toBeNull();
  expect(asksFirst('mail@channel', channel, 8)).toBeNull();
});

test('a mention of a large group asks first', () => {
  const [few, many] = [5, 6].map((size) => ({ id: size, name: `group${size}`, size, mine: false }));
  const groups = [few, many].flatMap((group) => (group ? [group] : []));
  expect(asksFirst('@group5 and @group6 lunch', channel, 8, groups)).toEqual(many);
  expect(asksFirst('@group5 lunch', channel, 8, groups)).toBeNull();
  expect(asksFirst('@group6 lunch', channel, 5, groups)).toBeNull();
  expect(asksFirst('`@group6` lunch', channel, 8, groups)).toBeNull();
  expect(asksFirst('@here and @group6', channel, 8, groups)).toBe('here');
});
