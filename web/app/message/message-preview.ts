/** A message in one line: its text without markup, else the names of its files. Pure. */
import type { Message } from '../../client';
import { limitMarks } from '../appearance';
import { namesOf } from '../files/labels';
import { plain } from '../markdown/render';
import { messages as m } from '../messages';

/** The longest line, in characters. */
const MOST = 140;
/** How much of a message is read, so that time does not grow with the part that is not shown. */
const READ = 2_000;

/** Return a message's text in one line; for a message without text, the names of its files, or that it is being written. */
export function preview({ body, files = [], streaming }: Pick<Message, 'body' | 'files' | 'streaming'>): string {
  const names = namesOf(files);
  return withoutMarkup(body) || (names ? `📎 ${names}` : streaming ? m.message.writing : '');
}

/** Return a text in one line, without markup and at most 140 characters long. */
export function withoutMarkup(body: string): string {
  const line = limitMarks(plain(body.slice(0, READ)), 'name');
  const letters = [...line];
  return letters.length > MOST || body.length > READ ? `${letters.slice(0, MOST).join('')}…` : line;
}
