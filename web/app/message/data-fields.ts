/**
 * The data of a message as a list of names and values, because the app does not know what an application means by it.
 * Pure. The list is bounded, whatever the data is.
 */
import { limitMarks } from '../appearance';

/** The most rows, and the longest name and value, in characters. */
const ROWS_MOST = 100;
const NAME_MOST = 80;
const VALUE_MOST = 500;

export interface DataField {
  name: string;
  value: string;
}

export interface DataFields {
  fields: DataField[];
  /** There are fields that are not listed. */
  cut: boolean;
}

/** Return the fields in their order. A field within an object is named by its path, such as `customer.name`. */
export function fieldsOf(data: Record<string, unknown>): DataFields {
  const waiting = entriesOf('', data).reverse();
  const fields: DataField[] = [];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [name, value] = next;
    const inner = entriesOf(name, value);
    if (inner.length && !isPlainList(value)) {
      waiting.push(...inner.reverse());
      continue;
    }
    if (fields.length === ROWS_MOST) return { fields, cut: true };
    fields.push({ name: clip(name, NAME_MOST), value: clip(shown(value), VALUE_MOST) });
  }
  return { fields, cut: false };
}

function entriesOf(path: string, value: unknown): [name: string, value: unknown][] {
  if (typeof value !== 'object' || value === null) return [];
  // a path that is cut anyway does not grow with the depth
  const start = path && `${path.slice(0, 2 * NAME_MOST)}.`;
  return Object.entries(value).map(([name, one]) => [`${start}${name}`, one]);
}

const isPlainList = (value: unknown): value is unknown[] =>
  Array.isArray(value) && value.every((one) => typeof one !== 'object' || one === null);

function shown(value: unknown): string {
  if (isPlainList(value) && value.length) return value.map(String).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Return at most so many characters of a text, in one line and without piles of accents. */
function clip(text: string, most: number): string {
  const letters = [...limitMarks(text.slice(0, 2 * most + 2), 'name').replace(/[\s\p{Cc}]+/gu, ' ')];
  return letters.length > most ? `${letters.slice(0, most).join('')}…` : letters.join('');
}
