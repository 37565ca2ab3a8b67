/** A message in one line: its text without markup, else the names of its files. Pure. */
import type { Message } from '../../client';
import { namesOf } from '../files/labels';

/** The longest line, in characters. */
const MOST = 140;
/** How much of a message is read, so that time does not grow with the part that is not shown. */
const READ = 2_000;

/** Return a message's text in one line; for a message without text, the names of its files. */
export function preview({ body, files = [] }: Pick<Message, 'body' | 'files'>): string {
  const names = namesOf(files);
  return withoutMarkup(body) || (names && `📎 ${names}`);
}

/** Return a text in one line, without markup characters and at most 140 characters long. */
export function withoutMarkup(body: string): string {
  const plain = body
    .slice(0, READ)
    .replace(/```[^\n]*\n?/g, ' ')
    .replace(/^(?=[ :-]*\|)[ |:-]*$/gm, '')
    .replace(/^\||\|$/gm, '')
    .replace(/^[-+] /gm, '')
    .replace(/[*_~`>#]+/g, (signs, at: number, text: string) => (isMarkup(text, at, signs) ? '' : signs))
    .replace(/\[([^[\]]*)\]\([^)\s]*\)/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
  const letters = [...plain];
  return letters.length > MOST || body.length > READ ? `${letters.slice(0, MOST).join('')}…` : plain;
}

/** Return true for markup characters at the edge of a word; within a word they are part of it. */
function isMarkup(text: string, at: number, signs: string): boolean {
  const [before, after] = [text[at - 1], text[at + signs.length]];
  if (signs.startsWith('#')) return (!before || before === '\n') && after === ' ';
  return !(before && /\w/.test(before) && after && /\w/.test(after));
}
