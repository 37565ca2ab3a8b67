/** Progress of imports as text. Pure. */
import type { Import } from '../dashboard/calls';
import { count, span } from '../dashboard/labels';
import { sizeOf } from '../files/labels';
import { messages as m } from '../messages';

/** Return whether a process works on the import, or will. */
export const isActive = ({ state }: Pick<Import, 'state'>): boolean => ['checking', 'running', 'undoing'].includes(state);

/** The progress: `part` from 0 to 1, null while it is unknown, and what has been done, how fast, and the time left. */
export interface ProgressLabel {
  part: number | null;
  text: string;
}

export function progressOf({ state, progress }: Pick<Import, 'state' | 'progress'>): ProgressLabel {
  const { seconds = 0, read = 0, size = 0, done = 0, total = 0, messages = 0 } = progress;
  if (state === 'undoing') return { part: null, text: join(m.imports.removing(messages), speed(messages, seconds)) };
  if (total) return { part: done / total, text: join(m.imports.writing(count(done), count(total)), speed(done, seconds), rest(done, total, seconds)) };
  if (!size) return { part: null, text: '' };
  return { part: read / size, text: join(m.imports.reading(sizeOf(read), sizeOf(size)), rest(read, size, seconds)) };
}

const join = (...parts: string[]): string => parts.filter(Boolean).join(' · ');

const speed = (done: number, seconds: number): string => (seconds >= 1 && done ? m.imports.rate(count(done / seconds)) : '');

/** Return the time left, once there is something to estimate it from. */
function rest(done: number, all: number, seconds: number): string {
  if (seconds < 2 || !done || done >= all) return '';
  return m.imports.left(span((seconds * (all - done)) / done));
}
