/** Excerpts of search results. */
import { expect, test } from 'vitest';
import { excerptOf } from './excerpt';

test('an excerpt has no markup, and its found words are still marked', () => {
  expect(excerptOf([['… **', false], ['Ana', true], ['** wrote `', false], ['code', true], ['`\n> again', false]])).toEqual([
    ['… ', false],
    ['Ana', true],
    [' wrote ', false],
    ['code', true],
    [' again', false],
  ]);
  expect(excerptOf([['2 * 3 < ', false], ['snake_case', true]])).toEqual([['2 * 3 < ', false], ['snake_case', true]]);
});

test('the signs that mark found words cannot be forged', () => {
  expect(excerptOf([['\u{f0001}all\u{f0002} ', false], ['one', true]])).toEqual([['all ', false], ['one', true]]);
});
