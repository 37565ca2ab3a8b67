/** Names of the users who react to a message and who have seen it. */
import { expect, test } from 'vitest';
import { reactionNames, seenLabel } from './labels';

const name = (id: number) => ['', 'Ana', 'Ben', 'Chloe'][id] ?? `${id}`;

test('reactions name me first', () => {
  expect(reactionNames({ emoji: '👍', users: [2, 1, 3] }, 1, name)).toBe('You, Ben and Chloe');
  expect(reactionNames({ emoji: '👍', users: [2] }, 1, name)).toBe('Ben');
  expect(reactionNames({ emoji: '👍', users: [2, 3], count: 5 }, 1, name)).toBe('Ben, Chloe and 3 others');
});

test('readers of the last message', () => {
  expect(seenLabel([], 3, name)).toBe('');
  expect(seenLabel([2], 1, name)).toBe('Seen');
  expect(seenLabel([2], 2, name)).toBe('Seen by Ben');
  expect(seenLabel([2, 3], 2, name)).toBe('Seen by everyone');
});
