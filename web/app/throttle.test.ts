/** Changes are paced, and the last one always arrives. */
import { expect, test, vi } from 'vitest';
import { paced } from './throttle';

test('one change is taken at once, a flood as its latest', () => {
  vi.useFakeTimers();
  const taken: number[] = [];
  const take = paced((value: number) => taken.push(value));
  for (let n = 1; n <= 100; n++) take(n);
  expect(taken).toEqual([1]);
  vi.advanceTimersByTime(20);
  expect(taken).toEqual([1, 100]);
  vi.useRealTimers();
});
