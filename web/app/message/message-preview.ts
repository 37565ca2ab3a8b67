/** A message in one line: its text without markup, else the names of its files, else its data. Pure. */
import type { Message } from '../../client';
import { limitMarks } from '../appearance';
import { namesOf } from '../files/labels';
import { plain } from '../markdown/render';
import { fieldsOf } from './data-fields';
import { messages as m } from '../messages';

/** The longest line, in characters. */
const MOST = 140;
/** How much of a message is read, so that time does not grow with the part that is not shown. */
const READ = 2_000;
/** How many fields of data are named. */
const FIELDS = 3;

/** Return a message's text in one line. Without text: its files, its type and data, or that it is being written. */
export function preview({ body, files = [], type, data, streaming }: Pick<Message, 'body' | 'files' | 'type' | 'data' | 'streaming'>): string {
  const names = namesOf(files);
  if (type === 'forward' && typeof data?.['text'] === 'string') return cut(`${withoutMarkup(body)} ↪ ${withoutMarkup(data['text'])}`.trim());
  return withoutMarkup(body) || (names && `📎 ${names}`) || cut(dataLine(type, data)) || (streaming ? m.message.writing : '');
}

/** Return a text in one line, without markup and at most 140 characters long. */
export function withoutMarkup(body: string): string {
  return cut(limitMarks(plain(body.slice(0, READ)), 'name'), body.length > READ);
}

function dataLine(type: string | undefined, data: Record<string, unknown> = {}): string {
  const fields = fieldsOf(data).fields.slice(0, FIELDS).map(({ name, value }) => `${name}: ${value}`);
  return [...(type ? [type] : []), ...fields].join(' · ');
}

/** Return at most 140 characters of a line. `more`: there is more text than the line. */
function cut(line: string, more = false): string {
  const letters = [...line];
  return letters.length > MOST || more ? `${letters.slice(0, MOST).join('')}…` : line;
}
