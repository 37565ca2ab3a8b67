/** Changes are throttled, and the last one always arrives. */
import { expect, test, vi } from 'vitest';
import { throttled } from './throttle';

test('passes one change on at once, and only the latest of many', () => {
  vi.useFakeTimers();
  const taken: number[] = [];
  const take = throttled((value: number) => taken.push(value));
  for (let n = 1; n <= 100; n++) take(n);
  expect(taken).toEqual([1]);
  vi.advanceTimersByTime(20);
  expect(taken).toEqual([1, 100]);
  vi.useRealTimers();
});
