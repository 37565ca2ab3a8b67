/** Roles and paces, as the details of a conversation offer them. */
import { expect, test } from 'vitest';
import { paces, wordsForPace } from './paces';
import { rolesToGive } from './roles';

test('nobody touches a role above their own', () => {
  expect(rolesToGive('owner', 'owner')).toEqual(['owner', 'admin', 'member']);
  expect(rolesToGive('admin', 'member')).toEqual(['admin', 'member']);
  expect(rolesToGive('admin', 'owner')).toEqual([]);
  expect(rolesToGive('member', 'member')).toEqual([]);
});

test('a pace in words, also one that nobody would have offered', () => {
  expect([0, 1, 90, 300, 3600].map(wordsForPace)).toEqual(['Off', '1 second', '90 seconds', '5 minutes', '1 hour']);
  expect(paces(42).map(([seconds]) => seconds)).toEqual([0, 5, 10, 30, 42, 60, 300, 900, 3600]);
});
