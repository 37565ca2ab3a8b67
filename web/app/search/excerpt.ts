/** The excerpt of a search result without its markup. Pure. */
import { limitMarks } from '../appearance';
import { plain } from '../markdown/render';
import type { Hit } from '../../client';

/** Letters of no script. They mark where a found word begins and ends while the markup is removed. */
const [BEGIN, END] = ['\u{f0001}', '\u{f0002}'];
const MARKS = /[\u{f0001}\u{f0002}]/gu;

/** Return the parts of an excerpt as text, in one line; true for found words. */
export function excerptOf(highlight: Hit['highlight']): Hit['highlight'] {
  const marked = highlight.map(([text, hit]) => {
    const clean = text.replace(MARKS, '');
    return hit ? BEGIN + clean + END : clean;
  });
  const parts: Hit['highlight'] = [];
  let hit = false;
  for (const part of limitMarks(plain(marked.join('')), 'text').split(/([\u{f0001}\u{f0002}])/u)) {
    if (part === BEGIN || part === END) hit = part === BEGIN;
    else if (part) parts.push([part, hit]);
  }
  return parts;
}
