/** The connection is spoken of honestly. */
import { expect, test } from 'vitest';
import { Problem } from '../../client';
import { wordsFor } from './words';

const offline = (status: number) => ({
  name: 'offline' as const,
  problem: new Problem({ status, code: 'x', detail: 'x' }),
  retryAt: 0,
});

test('while all is well nothing needs to be said', () => {
  expect(wordsFor({ name: 'live' }, 0, 0)).toEqual({ label: 'Live', tone: 'good', sentence: null });
});

test('offline says why, until when, and what waits', () => {
  expect(wordsFor(offline(0), 2, 9).sentence).toBe(
    'The server cannot be reached. Trying again in 9 s. 2 messages wait to be sent.',
  );
  expect(wordsFor(offline(503), 1, 0).sentence).toBe(
    'The server cannot answer right now. Trying again… 1 message waits to be sent.',
  );
});

test('polling is not called live', () => {
  expect(wordsFor({ name: 'polling' }, 0, 0)).toMatchObject({ label: 'Checking', tone: 'busy' });
});
