/** Roles and slow mode intervals, as the details of a conversation offer them. */
import { expect, test } from 'vitest';
import { rolesToGive } from './roles';
import { intervalName, intervals } from './slow-mode';

test('members cannot change a role above their own', () => {
  expect(rolesToGive('owner', 'owner')).toEqual(['owner', 'admin', 'member']);
  expect(rolesToGive('admin', 'member')).toEqual(['admin', 'member']);
  expect(rolesToGive('admin', 'owner')).toEqual([]);
  expect(rolesToGive('member', 'member')).toEqual([]);
});

test('names of intervals; an unusual current interval is offered too', () => {
  expect([0, 1, 90, 300, 3600].map(intervalName)).toEqual(['Off', '1 second', '90 seconds', '5 minutes', '1 hour']);
  expect(intervals(42).map(([seconds]) => seconds)).toEqual([0, 5, 10, 30, 42, 60, 300, 900, 3600]);
});
