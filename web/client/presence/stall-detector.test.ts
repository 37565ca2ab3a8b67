/** The stall detector, typing lists and idle detection. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Activity } from './activity';
import { TypingLists } from './typing';
import { StallDetector } from './stall-detector';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function makeDetector(reached: { cursor: string | null }): { detector: StallDetector; stalls: number[] } {
  const stalls: number[] = [];
  return { detector: new StallDetector(() => reached.cursor, () => stalls.push(Date.now()), 100), stalls };
}

test('a stream that stays behind the reported position is stalled', () => {
  const { detector, stalls } = makeDetector({ cursor: 'e1.5' });
  detector.check('e1.9');
  detector.check('e1.9');
  vi.advanceTimersByTime(99);
  expect(stalls).toHaveLength(0);
  vi.advanceTimersByTime(1);
  expect(stalls).toHaveLength(1);
});

test('a position reported during a check is checked next', () => {
  const reached: { cursor: string | null } = { cursor: null };
  const { detector, stalls } = makeDetector(reached);
  detector.check('e1.5');
  reached.cursor = 'e1.5';
  vi.advanceTimersByTime(50);
  detector.check('e1.9');
  vi.advanceTimersByTime(150);
  expect(stalls).toHaveLength(1);
  vi.advanceTimersByTime(100);
  expect(stalls).toHaveLength(2);
  reached.cursor = 'e1.9';
  vi.advanceTimersByTime(1000);
  expect(stalls).toHaveLength(2);
});

test('a stream that catches up in time, or at least moves, is not stalled', () => {
  const reached = { cursor: 'e1.5' };
  const { detector, stalls } = makeDetector(reached);
  detector.check('e1.9');
  reached.cursor = 'e1.7';
  vi.advanceTimersByTime(150);
  reached.cursor = 'e1.9';
  vi.advanceTimersByTime(1000);
  expect(stalls).toHaveLength(0);
});

test('a stream that is ahead, or reads another log, is not stalled', () => {
  const { detector, stalls } = makeDetector({ cursor: 'e1.9' });
  for (const cursor of ['e1.9', 'e1.3', 'e2.50', '']) detector.check(cursor);
  vi.advanceTimersByTime(1000);
  expect(stalls).toHaveLength(0);
});

test('a typing list that is not renewed expires after six seconds', () => {
  const lists = new TypingLists();
  lists.take(3, [7], 1_000);
  lists.take(4, [1], 2_000);
  expect([...lists.at(6_999, 1)]).toEqual([[3, [7]]]);
  expect(lists.nextExpiry).toBe(7_000);
  expect(lists.at(7_000, 1).size).toBe(0);
});

test('a device without input becomes idle, and each change is reported once', () => {
  const said: boolean[] = [];
  const activity = new Activity((idle) => said.push(idle), 1_000);
  activity.start();
  vi.advanceTimersByTime(900);
  activity.noticeInput();
  vi.advanceTimersByTime(900);
  expect(said).toEqual([]);
  vi.advanceTimersByTime(5_000);
  activity.noticeInput();
  activity.noticeInput();
  expect(said).toEqual([true, false]);
  activity.stop();
});
