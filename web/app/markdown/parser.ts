/**
 * Markdown as a chat needs it: no HTML, no images, no headings by underlining, line breaks where they were typed.
 *
 * A text may become so many tokens; more is refused with `TooMuch`, so that one message cannot keep a page busy.
 */
import Markdown, { type StateBlock, type StateInline, type Token } from 'markdown-it';
import { calls } from './calls';
import { links } from './links';

const OFF = ['html_block', 'html_inline', 'image', 'entity', 'reference', 'lheading', 'code'];
const DIRECTED = new Set(['paragraph_open', 'heading_open', 'list_item_open', 'td_open', 'th_open']);
/** Of one message; a long ordinary one has some hundreds, a table of 10 by 50 has 2,200. */
export const TOKENS_MOST = 2_500;

export type Paint = (code: string, language: string) => string;
type Parser = InstanceType<typeof Markdown>;

/** A text would become more elements than a message may have. */
export class TooMuch extends Error {}

/** `paint` turns code into marked-up code, or gives nothing. */
export function makeParser(paint: Paint): Parser {
  const md = new Markdown({ html: false, linkify: true, breaks: true, highlight: paint });
  md.disable(OFF);
  md.use(calls).use(links).use(limit);
  md.renderer.rules['softbreak'] = () => '\n';
  md.renderer.rules['hardbreak'] = () => '\n';
  // what is too wide is scrolled, also by the keyboard
  const { fence } = md.renderer.rules;
  md.renderer.rules['fence'] = (...all) => (fence?.(...all) ?? '').replace(/^<pre>/, '<pre tabindex="0">');
  md.core.ruler.push('direction', ({ tokens }) => {
    for (const token of tokens) {
      if (DIRECTED.has(token.type)) direct(token);
      if (token.type === 'table_open') token.attrSet('tabindex', '0');
    }
  });
  return md;
}

/** Counts the tokens of a text while they are made, so that parsing ends with the last one allowed. */
function limit(md: Parser): void {
  let left = 0;
  const spend = () => {
    if (--left < 0) throw new TooMuch();
  };
  md.core.ruler.before('normalize', 'limit', () => {
    left = TOKENS_MOST;
  });
  md.block.State = class extends md.block.State {
    override push(...all: Parameters<StateBlock['push']>): Token {
      spend();
      return super.push(...all);
    }
  };
  md.inline.State = class extends md.inline.State {
    override push(...all: Parameters<StateInline['push']>): Token {
      spend();
      return super.push(...all);
    }
  };
}

/** By its own script; and a table's alignment as a class, for our policy allows no styles in markup. */
function direct(token: Token): void {
  const aligned = /center|right/.exec(String(token.attrGet('style') ?? ''))?.[0];
  token.attrs = (token.attrs ?? []).filter(([name]) => name !== 'style');
  token.attrSet('dir', 'auto');
  if (aligned) token.attrSet('class', aligned);
}
