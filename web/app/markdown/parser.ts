/**
 * Markdown for chat messages: no HTML, no images, no underlined headings, and line breaks as typed.
 *
 * The number of tokens is limited: parsing more raises `TooManyTokens`, so that one message cannot block the page.
 */
import Markdown, { type StateBlock, type StateInline, type Token } from 'markdown-it';
import { asTyped } from './as-typed';
import { customEmoji } from './custom-emoji';
import { mentions } from './mentions';
import { links } from './links';

const OFF = ['html_block', 'html_inline', 'image', 'entity', 'reference', 'lheading', 'code'];
const DIRECTED = new Set(['paragraph_open', 'heading_open', 'list_item_open', 'td_open', 'th_open']);
/** The most tokens of one message. A long ordinary message has some hundreds, a table of 10 by 50 has 2,200. */
export const TOKENS_MOST = 2_500;

export type Paint = (code: string, language: string) => string;
type Parser = InstanceType<typeof Markdown>;

/** The text has more tokens than a message may have. */
export class TooManyTokens extends Error {}

/** Return a parser. `paint` returns code as highlighted HTML, or an empty string to show it plain. */
export function makeParser(paint: Paint): Parser {
  const md = new Markdown({ html: false, linkify: true, breaks: true, highlight: paint });
  md.disable(OFF);
  md.use(asTyped).use(mentions).use(customEmoji).use(links).use(limit);
  md.renderer.rules['softbreak'] = () => '\n';
  md.renderer.rules['linebreak'] = () => '<br>';
  // wide code and tables scroll, also by the keyboard
  const { fence } = md.renderer.rules;
  md.renderer.rules['fence'] = (tokens, at, ...rest) => {
    const language = md.utils.escapeHtml(tokens[at]?.info.trim() ?? '');
    const title = language && ` title="${language}"`;
    return (fence?.(tokens, at, ...rest) ?? '').replace(/^<pre>/, () => `<pre tabindex="0"${title}>`);
  };
  md.core.ruler.push('direction', ({ tokens }) => {
    for (const token of tokens) {
      if (DIRECTED.has(token.type)) direct(token);
      if (token.type === 'table_open') token.attrSet('tabindex', '0');
    }
  });
  return md;
}

/** Count tokens as they are created, so that parsing stops at the limit. */
function limit(md: Parser): void {
  let left = 0;
  const spend = () => {
    if (--left < 0) throw new TooManyTokens();
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

/** Set the text direction to automatic, and replace the alignment style by a class, because the CSP allows no styles. */
function direct(token: Token): void {
  const aligned = /center|right/.exec(String(token.attrGet('style') ?? ''))?.[0];
  token.attrs = (token.attrs ?? []).filter(([name]) => name !== 'style');
  token.attrSet('dir', 'auto');
  if (aligned) token.attrSet('class', aligned);
}
