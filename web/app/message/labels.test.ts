/** Who reacts, and who has seen it. */
import { expect, test } from 'vitest';
import { whoHasSeen, whoReacts } from './labels';

const name = (id: number) => ['', 'Ana', 'Ben', 'Chloe'][id] ?? `${id}`;

test('reactions name me first', () => {
  expect(whoReacts({ emoji: '👍', users: [2, 1, 3] }, 1, name)).toBe('You, Ben and Chloe');
  expect(whoReacts({ emoji: '👍', users: [2] }, 1, name)).toBe('Ben');
  expect(whoReacts({ emoji: '👍', users: [2, 3], count: 5 }, 1, name)).toBe('Ben, Chloe and 3 others');
});

test('who has seen it', () => {
  expect(whoHasSeen([], 3, name)).toBe('');
  expect(whoHasSeen([2], 1, name)).toBe('Seen');
  expect(whoHasSeen([2], 2, name)).toBe('Seen by Ben');
  expect(whoHasSeen([2, 3], 2, name)).toBe('Seen by everyone');
});
