/** Finding the token at the caret, and completing it. */
import { expect, test } from 'vitest';
import { commandIn, complete, tokenAt, withoutEscape } from './completion';

const token = (text: string) => tokenAt(text, text.length);

test('a token starts with its sign, at the start of a word', () => {
  expect(token('hi @an')).toEqual({ kind: 'person', start: 3, typed: 'an' });
  expect(token('@')).toEqual({ kind: 'person', start: 0, typed: '' });
  expect(token('(#gen')).toEqual({ kind: 'channel', start: 1, typed: 'gen' });
  expect(token('see #r&d/🚀')).toEqual({ kind: 'channel', start: 4, typed: 'r&d/🚀' });
  expect(token('#हिन्दी')?.typed).toBe('हिन्दी');
  expect(token('so :ta')).toEqual({ kind: 'emoji', start: 3, typed: 'ta' });
  for (const text of ['mail@an', 'at 10:30', ':t', 'a :', 'https://x', '@an ', '```\n@an']) expect(token(text)).toBeNull();
  expect(token('```\ncode\n```\n@an')?.kind).toBe('person');
});

test('a command is the first word of a text', () => {
  expect(token('/')).toEqual({ kind: 'command', start: 0, typed: '' });
  expect(token('/re')).toEqual({ kind: 'command', start: 0, typed: 're' });
  for (const text of ['/remind me', 'and /re', ' /re', '//re', '/usr/bin']) expect(token(text), text).toBeNull();
  expect(token('/remind @an')?.kind).toBe('person');
  expect(commandIn('/Remind in 1 hour  tea\n')).toEqual({ name: 'remind', words: 'in 1 hour  tea' });
  expect(commandIn('/shrug')).toEqual({ name: 'shrug', words: '' });
  for (const text of ['/', '/ x', '/usr/bin is broken', '//shrug', 'see /shrug', '/2 of it']) expect(commandIn(text), text).toBeNull();
});

test('two slashes send a message that begins with a command', () => {
  expect(withoutEscape('//shrug is a command')).toBe('/shrug is a command');
  for (const text of ['/shrug', '// a comment', '//example.org/x', 'a //shrug']) expect(withoutEscape(text)).toBe(text);
});

test('a completed token is replaced, and the caret stands after it', () => {
  expect(complete('hi @an', { kind: 'person', start: 3, typed: 'an' }, '@ana')).toEqual({ text: 'hi @ana ', caret: 8 });
  expect(complete('hi @an there', { kind: 'person', start: 3, typed: 'an' }, '@ana')).toEqual({
    text: 'hi @ana there',
    caret: 8,
  });
});
