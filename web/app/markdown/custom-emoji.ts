/** Custom emoji in a message: `:name:` of one that exists, outside of code and addresses. Pure; time is linear. */
import type { MarkdownIt, StateInline } from 'markdown-it';
import { isInAddress, type Mentions } from './mentions';

/** A name between colons, but not the minutes of a time such as `10:30:00`. */
const SIGN = /(?!(?<=\d):\d+:):([a-z0-9_-]{2,32}):/y;

/** The plugin for markdown-it. The picture takes the place of the text later: `withEmoji` in decorate.ts. */
export function customEmoji(md: MarkdownIt): void {
  md.inline.ruler.before('emphasis', 'custom_emoji', put);
}

function put(state: StateInline, silent: boolean): boolean {
  const { emoji } = state.env as unknown as Mentions;
  if (!emoji || state.src[state.pos] !== ':') return false;
  SIGN.lastIndex = state.pos;
  const [sign, name] = SIGN.exec(state.src) ?? [];
  if (!sign || !name || !pictures(emoji).has(name) || isInAddress(state.src, state.pos)) return false;
  if (!silent) {
    state.push('emoji_open', 'span', 1).attrs = [['data-emoji', name]];
    state.push('text', '', 0).content = sign;
    state.push('emoji_close', 'span', -1);
  }
  state.pos += sign.length;
  return true;
}

let last: [list: string, pictures: Map<string, string>] = ['', new Map()];

/** Return the addresses of a list `name=address,…` by name. The last map is cached: one text looks it up many times. */
export function pictures(list: string): Map<string, string> {
  if (last[0] !== list) last = [list, new Map(list ? list.split(',').map(entryOf) : [])];
  return last[1];
}

function entryOf(one: string): [string, string] {
  const at = one.indexOf('=');
  return [one.slice(0, at), one.slice(at + 1)];
}
