/** Renders the text of messages as safe HTML, with a cache. */
import type { Mentions } from './mentions';
import { clean } from './clean';
import { makeParser, TooManyTokens, type Paint } from './parser';

const MOST = 1_000;
const rendered = new Map<string, string>();
let painting: Paint | null = null;

const parser = makeParser((code, language) => painting?.(code, language) ?? '');

/**
 * Render a text. `paint` highlights code; without it code stays plain. A text with more tokens than the limit is shown
 * as it was typed, with its line breaks.
 */
export function render(text: string, mentions: Mentions, paint: Paint | null = null): string {
  const { people, channels, all, me } = mentions;
  const key = `${paint ? 1 : 0} ${me} ${people} ${channels} ${all} ${text}`;
  const known = rendered.get(key);
  if (known !== undefined) return known;
  painting = paint;
  const html = clean(orPlain(text, () => parser.render(text, { ...mentions, origin: globalThis.location?.origin ?? '' })));
  if (rendered.size >= MOST) rendered.delete(rendered.keys().next().value as string);
  rendered.set(key, html);
  return html;
}

function orPlain(text: string, make: () => string): string {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof TooManyTokens)) throw error;
    return `<p dir="auto">${parser.utils.escapeHtml(text)}</p>`;
  }
}

/** Return true if a text has a code block with a language. */
export function hasCode(text: string): boolean {
  return /^ {0,3}(?:```|~~~)[ \t]*\w/m.test(text);
}

export interface Block {
  code: string;
  language: string;
}

/** Return the code blocks to highlight: those with a language and at most 3,000 characters, at most 8 of them. */
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
