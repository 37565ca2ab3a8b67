/** A message in one line: its text, or what it carries. Pure. */
import type { Message } from '../../client';
import { namesOf } from '../files/labels';
import { excerpt } from './excerpt';

export function gist({ body, files = [] }: Pick<Message, 'body' | 'files'>): string {
  const carried = namesOf(files);
  return excerpt(body) || (carried && `📎 ${carried}`);
}
