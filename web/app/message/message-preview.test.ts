/** A message in one line. */
import { expect, test } from 'vitest';
import { preview, withoutMarkup } from './message-preview';

test('markup is left out, words are not', () => {
  expect(withoutMarkup('**bold** and `code`\n> quoted\n# title')).toBe('bold and code quoted title');
  expect(withoutMarkup('snake_case_name #channel [a link](https://x.example)')).toBe('snake_case_name #channel a link');
  expect(withoutMarkup('- one\n- two\n\n| a | b |\n|---|---|\n| c | d |')).toBe('one two a | b c | d');
  expect(withoutMarkup('5. no\n7. yes')).toBe('5. no 7. yes');
  expect(withoutMarkup('a > b, 5 * 3 * 2, x ~ y, ~/bin, <3 and C#')).toBe('a > b, 5 * 3 * 2, x ~ y, ~/bin, <3 and C#');
  expect(withoutMarkup('¯\\_(ツ)_/¯ __init__')).toBe('¯\\_(ツ)_/¯ __init__');
  expect(withoutMarkup('```python\nprint(1)\n```')).toBe('print(1)');
});

test('a long text is cut between characters', () => {
  expect([...withoutMarkup('👩‍💻'.repeat(200))].at(-1)).toBe('…');
});

test('a message without text is named by its files', () => {
  const files = [{ id: 1, name: 'plan.pdf', size: 1, type: 'application/pdf' }];
  expect(preview({ body: '**look** here', files })).toBe('look here');
  expect(preview({ body: '', files })).toBe('📎 plan.pdf');
  expect(preview({ body: '' })).toBe('');
});

test('a message of an application is named by its type and first fields', () => {
  const data = { order: 4711, carrier: 'DHL', customer: { name: 'Ana' }, rest: 1 };
  expect(preview({ body: '', type: 'order.shipped', data })).toBe('order.shipped · order: 4711 · carrier: DHL · customer.name: Ana');
  expect(preview({ body: 'On its way', data })).toBe('On its way');
  expect(preview({ body: '', data: { a: 'x'.repeat(8_000) } })).toHaveLength(141);
});
