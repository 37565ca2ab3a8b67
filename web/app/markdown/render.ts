/** Renders the text of messages as safe HTML, with a cache. */
import type { Token } from 'markdown-it';
import { limitMarks } from '../appearance';
import { type Mentions, namesIn, NO_MENTIONS } from './mentions';
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
  const { people, channels, groups, ours, all, me, emoji } = mentions;
  const key = `${paint ? 1 : 0} ${me} ${people} ${channels} ${groups} ${ours} ${all} ${emoji} ${text}`;
  const known = rendered.get(key);
  if (known !== undefined) return known;
  const html = renderOnce(text, mentions, paint);
  if (rendered.size >= MOST) rendered.delete(rendered.keys().next().value as string);
  rendered.set(key, html);
  return html;
}

/** Render a text that is still written, which no one renders again. */
export function renderOnce(text: string, mentions: Mentions, paint: Paint | null = null): string {
  painting = paint;
  const origin = globalThis.location?.origin ?? '';
  return clean(orPlain(limitMarks(text, 'text'), (shown) => parser.render(shown, { ...mentions, origin })));
}

function orPlain(text: string, make: (text: string) => string): string {
  return orElse(() => make(text), () => `<p dir="auto">${parser.utils.escapeHtml(text)}</p>`);
}

function orElse<T>(make: () => T, otherwise: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof TooManyTokens)) throw error;
    return otherwise();
  }
}

/** Return a text in one line, with what its author typed but without its markup. */
export function plain(text: string): string {
  return orElse(
    () => parser.parse(text, { ...NO_MENTIONS }).map(wordsOf).join(''),
    () => text,
  ).replace(/\s+/g, ' ').trim();
}

function wordsOf({ type, content, children }: Token, at: number, all: Token[]): string {
  if (type === 'td_open' || type === 'th_open') return all[at - 1]?.type === 'tr_open' ? ' ' : ' | ';
  if (!children) return `${content} `;
  return children.map((child) => (child.type.endsWith('break') || child.type === 'marker' ? `${child.content} ` : child.content)).join('');
}

const LINKED = /^\/c\/([1-9]\d{0,14})\/([1-9]\d{0,14})$/;
/** How many linked messages are shown as cards. */
const LINKED_MOST = 3;

/** Return the places of the messages of this server that a text links to outside of code, at most three. */
export function linkedMessages(text: string, origin = globalThis.location?.origin ?? ''): [number, number][] {
  if (!origin || !text.includes(`${origin}/c/`)) return [];
  const links = orElse(
    () => parser.parse(text, { ...NO_MENTIONS, origin }).flatMap(({ children }) => children ?? []),
    () => [],
  ).filter(({ type }) => type === 'link_open');
  const hrefs = new Set(links.map((link) => String(link.attrGet('href') ?? '')).filter((href) => LINKED.test(href)));
  return [...hrefs].slice(0, LINKED_MOST).map((href) => {
    const [, conversation, seq] = LINKED.exec(href) ?? [];
    return [Number(conversation), Number(seq)];
  });
}

/** Return the names that a text mentions, in lower case: outside code and quotes, whether there are such users or not. */
export function namesMentioned(text: string): Set<string> {
  return orElse(
    () => namesIn(parser.parse(text, { ...NO_MENTIONS, anyone: true })),
    () => new Set(),
  );
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
  orPlain(limitMarks(text, 'text'), (shown) => parser.render(shown, { ...NO_MENTIONS }));
  return found;
}

const CODE_MOST = 3_000;
const BLOCKS_MOST = 8;
