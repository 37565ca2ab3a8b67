/** The texts of the app are plain English: none of the old wordings, and none of the words that do not return. */
import { expect, test } from 'vitest';
import { messages } from '.';
import replaced from './replaced.json';

/** Wordings and words that were replaced. None of them is part of a text. */
const { wordings: REPLACED, words } = replaced;

const WORDS = new RegExp(`\\b(${words.join('|')})\\b`, 'i');

/** Yield each text with its path; for a function, its source without the names of its parameters. */
function* texts(value: unknown, path = 'messages'): Generator<[path: string, text: string]> {
  if (typeof value === 'string') yield [path, value];
  else if (typeof value === 'function') yield [path, String(value).replace(/^[^=]*=>/, '')];
  else for (const [key, inner] of Object.entries(value ?? {})) yield* texts(inner, `${path}.${key}`);
}

const all = [...texts(messages)];

test('there are texts', () => {
  expect(all.length).toBeGreaterThan(200);
});

test('no text has a wording that was replaced', () => {
  expect(all.filter(([, text]) => REPLACED.some((old) => text.includes(old)))).toEqual([]);
});

test('no text has a word that does not return', () => {
  expect(all.filter(([, text]) => WORDS.test(text))).toEqual([]);
});

test('apostrophes are written in one way', () => {
  expect(all.filter(([, text]) => /\w’\w/.test(text))).toEqual([]);
});
