/** Data of applications as names and values: bounded and harmless, whatever it is. */
import { expect, test } from 'vitest';
import { fieldsOf } from './data-fields';

const pairs = (data: Record<string, unknown>) => fieldsOf(data).fields.map(({ name, value }) => [name, value]);

test('fields keep their order, and inner ones are named by their path', () => {
  const customer = { name: 'Ana', tags: ['new', 7, null], address: { city: 'Porto' } };
  expect(pairs({ order: 4711, paid: true, note: null, customer, items: [{ sku: 'a' }, {}], rest: [] })).toEqual([
    ['order', '4711'],
    ['paid', 'true'],
    ['note', 'null'],
    ['customer.name', 'Ana'],
    ['customer.tags', 'new, 7, null'],
    ['customer.address.city', 'Porto'],
    ['items.0.sku', 'a'],
    ['items.1', '{}'],
    ['rest', '[]'],
  ]);
});

test('names that objects have by themselves are ordinary fields', () => {
  expect(pairs(JSON.parse('{"__proto__":{"x":1},"constructor":2}') as Record<string, unknown>)).toEqual([
    ['__proto__.x', '1'],
    ['constructor', '2'],
  ]);
});

test('hostile data is bounded', () => {
  let deep: unknown = 'end';
  for (let level = 0; level < 99; level++) deep = { ['x'.repeat(40)]: deep };
  const many = Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`key ${n}`, n]));
  for (const data of [{ deep }, many, { long: 'x'.repeat(8000) }, { ['k'.repeat(8000)]: 1 }, { tower: `a${'\u0301'.repeat(4000)}` }]) {
    const { fields } = fieldsOf(data as Record<string, unknown>);
    expect(fields.length).toBeLessThanOrEqual(100);
    expect(fields.map(({ name, value }) => name + value).join('').length).toBeLessThan(100 * 90);
  }
  expect(fieldsOf(many).cut).toBe(true);
  expect(pairs({ tower: `a${'\u0301'.repeat(4000)}` })[0]?.[1]).toHaveLength(5);
});

test('a text stays in its line', () => {
  expect(pairs({ a: 'one\n\u0000\ttwo\u2028three' })).toEqual([['a', 'one two three']]);
});
