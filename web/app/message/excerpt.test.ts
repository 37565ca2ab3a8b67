/** One line of a message. */
import { expect, test } from 'vitest';
import { excerpt } from './excerpt';

test('markup is left out, words are not', () => {
  expect(excerpt('**bold** and `code`\n> quoted\n# title')).toBe('bold and code quoted title');
  expect(excerpt('snake_case_name #channel [a link](https://x.example)')).toBe('snake_case_name #channel a link');
  expect(excerpt('- one\n- two\n\n| a | b |\n|---|---|\n| c | d |')).toBe('one two a | b c | d');
  expect(excerpt('```python\nprint(1)\n```')).toBe('print(1)');
});

test('what is long is cut between letters', () => {
  expect([...excerpt('👩‍💻'.repeat(200))].at(-1)).toBe('…');
});
