/** A message's text as HTML that is safe to show; the same text is rendered once. */
import type { Naming } from './calls';
import { clean } from './clean';
import { makeParser, type Paint } from './parser';

const MOST = 1_000;
const rendered = new Map<string, string>();
let painting: Paint | null = null;

const parser = makeParser((code, language) => painting?.(code, language) ?? '');

/** `paint` marks up code; without it code stays plain. */
export function render(text: string, naming: Naming, paint: Paint | null = null): string {
  const { people, channels, all, me } = naming;
  const key = `${paint ? 1 : 0} ${me} ${people} ${channels} ${all} ${text}`;
  const known = rendered.get(key);
  if (known !== undefined) return known;
  painting = paint;
  const html = clean(parser.render(text, { ...naming, origin: globalThis.location?.origin ?? '' }));
  if (rendered.size >= MOST) rendered.delete(rendered.keys().next().value as string);
  rendered.set(key, html);
  return html;
}

/** Whether a text holds a block of code in some language. */
export function hasCode(text: string): boolean {
  return /^ {0,3}(?:```|~~~)[ \t]*\w/m.test(text);
}
