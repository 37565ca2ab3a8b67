/** The progress of an import, with its rate and the time left. */
import { expect, test } from 'vitest';
import { isActive, progressOf } from './labels';

test('the file is read first, without a time at the very start', () => {
  expect(progressOf({ state: 'checking', progress: {} })).toEqual({ part: null, text: '' });
  expect(progressOf({ state: 'checking', progress: { seconds: 0.5, read: 10_000, size: 40_000 } })).toEqual({
    part: 0.25,
    text: 'Reading the file: 10 KB of 40 KB',
  });
});

test('records are imported at a rate, and take as long as that lets them', () => {
  const progress = { seconds: 10, read: 40, size: 40, done: 2_000, total: 8_000 };
  expect(progressOf({ state: 'running', progress })).toEqual({
    part: 0.25,
    text: '2,000 of 8,000 items imported · 200/s · about 30 s left',
  });
});

test('an undo counts messages', () => {
  expect(progressOf({ state: 'undoing', progress: { seconds: 2, messages: 500 } }).text).toBe('500 messages removed · 250/s');
});

test('an import is active while there is work', () => {
  expect(isActive({ state: 'running' })).toBe(true);
  expect(isActive({ state: 'done' })).toBe(false);
});
