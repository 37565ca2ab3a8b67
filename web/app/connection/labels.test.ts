/** The texts about the connection say what is true, and no more. */
import { expect, test } from 'vitest';
import { Problem } from '../../client';
import { wordsFor } from './labels';

const normal = { unsent: 0, seconds: 0, network: true };
const offline = (status: number) => ({
  name: 'offline' as const,
  problem: new Problem({ status, code: 'x', detail: 'x' }),
  retryAt: 0,
});

test('shows no sentence while the stream is live', () => {
  expect(wordsFor({ name: 'live' }, normal)).toMatchObject({ label: 'Live', tone: 'good', sentence: null });
});

test('offline: says why, when it tries again, and how many messages wait', () => {
  expect(wordsFor(offline(0), { ...normal, unsent: 2, seconds: 9 }).sentence).toBe(
    "Can't reach the server. Trying again in 9 s. 2 messages waiting to be sent.",
  );
  expect(wordsFor(offline(503), { ...normal, unsent: 1 }).sentence).toBe(
    "The server can't respond right now. Trying again… 1 message waiting to be sent.",
  );
  expect(wordsFor(offline(0), { ...normal, network: false }).sentence).toContain('You are offline.');
});

test('polling: is not called live, and says what went wrong', () => {
  expect(wordsFor({ name: 'polling', why: 'buffered' }, normal)).toMatchObject({ label: 'Checking', tone: 'busy' });
  expect(wordsFor({ name: 'polling', why: 'stalled' }, normal).sentence).toContain('stopped delivering live updates');
});

test('counts the changes of a long replay, not of a short one', () => {
  expect(wordsFor({ name: 'behind', done: 2_500, of: 10_000 }, normal)).toMatchObject({
    sentence: 'Catching up on what you missed: 2,500 of 10,000 changes…',
    progress: 0.25,
  });
  expect(wordsFor({ name: 'behind', done: 2, of: 10 }, normal).progress).toBeNull();
});

test('leaves the seconds out of the spoken text', () => {
  const spoken = [9, 8, 7].map((seconds) => wordsFor(offline(0), { ...normal, seconds }).spoken);
  expect(new Set(spoken)).toEqual(new Set(["Can't reach the server."]));
});

test('says that a draining server is left for another one', () => {
  expect(wordsFor({ name: 'connecting', draining: true }, normal).sentence).toContain('Connecting to another one');
});
