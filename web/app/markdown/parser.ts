/** Markdown as a chat needs it: no HTML, no images, no headings by underlining, line breaks where they were typed. */
import Markdown, { type Token } from 'markdown-it';
import { calls } from './calls';
import { links } from './links';

const OFF = ['html_block', 'html_inline', 'image', 'entity', 'reference', 'lheading', 'code'];
const DIRECTED = new Set(['paragraph_open', 'heading_open', 'list_item_open', 'td_open', 'th_open']);

export type Paint = (code: string, language: string) => string;

/** `paint` turns code into marked-up code, or gives nothing. */
export function makeParser(paint: Paint): InstanceType<typeof Markdown> {
  const md = new Markdown({ html: false, linkify: true, breaks: true, highlight: paint });
  md.disable(OFF);
  md.use(calls).use(links);
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

/** By its own script; and a table's alignment as a class, for our policy allows no styles in markup. */
function direct(token: Token): void {
  const aligned = /center|right/.exec(String(token.attrGet('style') ?? ''))?.[0];
  token.attrs = (token.attrs ?? []).filter(([name]) => name !== 'style');
  token.attrSet('dir', 'auto');
  if (aligned) token.attrSet('class', aligned);
}
