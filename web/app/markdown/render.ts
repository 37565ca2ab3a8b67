/** A message's text as HTML that is safe to show; the same text is rendered once. */
import type { Naming } from './calls';
import { clean } from './clean';
import { makeParser, TooMuch, type Paint } from './parser';

const MOST = 1_000;
const rendered = new Map<string, string>();
let painting: Paint | null = null;

const parser = makeParser((code, language) => painting?.(code, language) ?? '');

/**
 * `paint` marks up code; without it code stays plain. A text with more elements than a message may have is shown as
 * it was typed, with its line breaks.
 */
export function render(text: string, naming: Naming, paint: Paint | null = null): string {
  const { people, channels, all, me } = naming;
  const key = `${paint ? 1 : 0} ${me} ${people} ${channels} ${all} ${text}`;
  const known = rendered.get(key);
  if (known !== undefined) return known;
  painting = paint;
  const html = clean(orPlain(text, () => parser.render(text, { ...naming, origin: globalThis.location?.origin ?? '' })));
  if (rendered.size >= MOST) rendered.delete(rendered.keys().next().value as string);
  rendered.set(key, html);
  return html;
}

function orPlain(text: string, make: () => string): string {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof TooMuch)) throw error;
    return `<p dir="auto">${parser.utils.escapeHtml(text)}</p>`;
  }
}

/** Whether a text holds a block of code in some language. */
export function hasCode(text: string): boolean {
  return /^ {0,3}(?:```|~~~)[ \t]*\w/m.test(text);
}

export interface Block {
  code: string;
  language: string;
}

/** The blocks of code that are worth painting: in some language, and not too long, nor too many of them. */
export function codeIn(text: string): Block[] {
  const found: Block[] = [];
  painting = (code, language) => {
    if (language && code.length <= CODE_MOST && found.length < BLOCKS_MOST) found.push({ code, language });
    return '';
  };
  orPlain(text, () => parser.render(text, {}));
  return found;
}

const CODE_MOST = 3_000;
const BLOCKS_MOST = 8;
