/** The connection is spoken of honestly. */
import { expect, test } from 'vitest';
import { Problem } from '../../client';
import { wordsFor } from './labels';

const calm = { unsent: 0, seconds: 0, network: true };
const offline = (status: number) => ({
  name: 'offline' as const,
  problem: new Problem({ status, code: 'x', detail: 'x' }),
  retryAt: 0,
});

test('while all is well nothing needs to be shown', () => {
  expect(wordsFor({ name: 'live' }, calm)).toMatchObject({ label: 'Live', tone: 'good', sentence: null });
});

test('offline says why, until when, and what waits', () => {
  expect(wordsFor(offline(0), { ...calm, unsent: 2, seconds: 9 }).sentence).toBe(
    'The server cannot be reached. Trying again in 9 s. 2 messages wait to be sent.',
  );
  expect(wordsFor(offline(503), { ...calm, unsent: 1 }).sentence).toBe(
    'The server cannot answer right now. Trying again… 1 message waits to be sent.',
  );
  expect(wordsFor(offline(0), { ...calm, network: false }).sentence).toContain('You are offline.');
});

test('polling is not called live, and says what went wrong', () => {
  expect(wordsFor({ name: 'polling', why: 'buffered' }, calm)).toMatchObject({ label: 'Checking', tone: 'busy' });
  expect(wordsFor({ name: 'polling', why: 'stalled' }, calm).sentence).toContain('they came, and stopped');
});

test('a long replay is counted, a short one is not', () => {
  expect(wordsFor({ name: 'behind', done: 2_500, of: 10_000 }, calm)).toMatchObject({
    sentence: 'Catching up on what you missed: 2,500 of 10,000 changes…',
    progress: 0.25,
  });
  expect(wordsFor({ name: 'behind', done: 2, of: 10 }, calm).progress).toBeNull();
});

test('what changes by the second is not read out', () => {
  const spoken = [9, 8, 7].map((seconds) => wordsFor(offline(0), { ...calm, seconds }).spoken);
  expect(new Set(spoken)).toEqual(new Set(['The server cannot be reached.']));
});

test('a server that goes says so', () => {
  expect(wordsFor({ name: 'connecting', draining: true }, calm).sentence).toContain('Moving to another');
});
