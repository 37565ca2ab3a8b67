/**
 * Rules that make Markdown keep what its author typed: numbers of lists, backslashes that escape nothing, signs within
 * words, and the lines after quotes, lists and tables. A text that only resembles markup never disappears. Pure; time
 * grows linearly with the text.
 */
import type { MarkdownIt, StateBlock, StateInline, Token } from 'markdown-it';

type BlockRule = (state: StateBlock, start: number, end: number, silent: boolean) => boolean;
type Delimiters = ReturnType<StateInline['scanDelims']>;

/** The plugin for markdown-it. */
export function asTyped(md: MarkdownIt): void {
  md.inline.ruler.at('escape', escape);
  md.inline.ruler.at('newline', newline);
  md.inline.State = class extends md.inline.State {
    /** The index of the underscores that close the last name such as `__init__`. */
    private closing = -1;

    override scanDelims(start: number, canSplitWord: boolean): Delimiters {
      const found = super.scanDelims(start, canSplitWord);
      const name = found.length === 2 ? matchAt(DUNDER, this.src, start) : '';
      if (start === this.closing) return { ...found, can_open: false, can_close: false };
      if (name) this.closing = start + name.length - 2;
      return name || isWithinWord(this.src, start, found.length) ? { ...found, can_open: false } : found;
    }
  };
  wrap(md, 'blockquote', (rule) => (state, start, end, silent) => {
    if (silent || !lineOf(state, start).startsWith('>')) return rule(state, start, end, silent);
    const last = linesWhile(state, start, end, (line) => line.startsWith('>'));
    const empty = last <= start + 1 && /^[>\s]*$/.test(lineOf(state, start));
    return !empty && rule(state, start, last, false);
  });
  wrap(md, 'table', (rule) => (state, start, end, silent) => {
    const found = rule(state, start, end, true);
    if (silent || !found) return found;
    const most = cellsIn(lineOf(state, start));
    const isRow = (line: string) => line.includes('|') && cellsIn(line) <= most;
    return rule(state, start, linesWhile(state, start + 2, end, isRow), false);
  });
  const isEmpty = (state: StateBlock, line: number) => /^(?:[-+*]|\d+[.)]|#+)\s*$/.test(lineOf(state, line));
  for (const name of ['list', 'heading'])
    wrap(md, name, (rule) => (state, start, end, silent) => !isEmpty(state, start) && rule(state, start, end, silent));
  md.block.ruler.at('paragraph', paragraph);
  md.core.ruler.push('as typed', ({ tokens, Token }) => {
    const plus = tokens.some(({ type, markup }) => type === 'bullet_list_open' && markup === '+');
    for (const [at, token] of tokens.entries()) {
      if (token.type === 'fence') keepInfo(token);
      if (token.type === 'paragraph_open' && token.hidden) keepBreaks(tokens[at + 1]);
      if (token.type === 'list_item_open') keepMarker(token, tokens.slice(at + 1, at + 3), plus, Token);
    }
  });
  md.renderer.rules['marker'] = (tokens, at) => markerOf(tokens[at]?.content ?? '');
  md.renderer.rules['list_item_open'] = (tokens, at, options, _env, self) =>
    self.renderToken(tokens, at, options) + markerOf(tokens[at]?.content ?? '');
}

/** Replace a rule of the parser by one that may call it. */
function wrap(md: MarkdownIt, name: string, make: (rule: BlockRule) => BlockRule): void {
  const known = md.block.ruler.__rules__.find((one) => one.name === name);
  if (!known) throw new Error(`markdown-it has no rule ${name}`);
  md.block.ruler.at(name, make(known.fn), { alt: known.alt });
}

const lineOf = (state: StateBlock, line: number) =>
  state.src.slice((state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0), state.eMarks[line]);

/** Return the first line that is outside of the block, or for which the function returns false. */
function linesWhile(state: StateBlock, start: number, end: number, belongs: (line: string) => boolean): number {
  let line = start;
  while (line < end && (state.sCount[line] ?? 0) >= state.blkIndent && belongs(lineOf(state, line))) line++;
  return line;
}

/** Return the number of cells of a row, or 0 for a line that is no row. */
function cellsIn(line: string): number {
  const row = line.trim().replace(/^\||(?<!\\)\|$/g, '');
  let cells = line.includes('|') ? 1 : 0;
  for (let at = row.indexOf('|'); at >= 0; at = row.indexOf('|', at + 1)) if (row[at - 1] !== '\\') cells++;
  return cells;
}

/** A paragraph. It ends before a line that is indented less than the list item that it belongs to. */
function paragraph(state: StateBlock, start: number, end: number): boolean {
  const rules = state.md.block.ruler.getRules('paragraph');
  const outer = state.parentType;
  state.parentType = 'paragraph';
  let next = start + 1;
  for (; next < end && !state.isEmpty(next); next++) {
    const indent = (state.sCount[next] ?? 0) - state.blkIndent;
    if (indent < 0 || (indent <= 3 && rules.some((rule) => rule(state, next, end, true)))) break;
  }
  const map: [number, number] = [start, (state.line = next)];
  state.push('paragraph_open', 'p', 1).map = map;
  const text = state.push('inline', '', 0);
  Object.assign(text, { map, children: [], content: state.getLines(start, next, state.blkIndent, false).trimEnd() });
  state.push('paragraph_close', 'p', -1);
  state.parentType = outer;
  return true;
}

/** A line break. Spaces before and after it are kept. */
function newline(state: StateInline, silent: boolean): boolean {
  if (state.src[state.pos] !== '\n') return false;
  if (!silent) state.push('softbreak', 'br', 0);
  state.pos += 1;
  return true;
}

/** A name such as `__init__`, which is not bold. */
const DUNDER = /__[\p{L}\p{N}]+(?:_[\p{L}\p{N}]+)*__(?![\p{L}\p{N}_])/uy;

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

/** Return true for signs between letters or digits, as in `2*3*4`. Scripts without spaces between words are not meant. */
function isWithinWord(text: string, start: number, length: number): boolean {
  return /[A-Za-z0-9]/.test(text[start - 1] ?? '') && /[A-Za-z0-9]/.test(text[start + length] ?? '');
}

const SIGNS = '*_~`[]<>#@';

/**
 * Backslashes. Before a sign that would have a meaning there, each pair stands for one, and a single one takes the
 * meaning away. Elsewhere, and within paths and the like, all are shown. A sign after a single one never has a meaning.
 */
function escape(state: StateInline, silent: boolean): boolean {
  const { src, pos, posMax } = state;
  if (src[pos] !== '\\') return false;
  let end = pos;
  while (end < posMax && src[end] === '\\') end++;
  const count = end - pos;
  const sign = end < posMax && count % 2 ? (src[end] ?? '') : '';
  // the text of a link is often written by a program, which escapes all signs
  const escapes = state.linkLevel > 0 ? count > 1 || /[!-/:-@[-`{-~]/.test(sign) : end < posMax && isMeant(state, pos, end);
  const taken = escapes || SIGNS.includes(sign) ? sign : '';
  if (!silent) {
    const token = state.push('text_special', '', 0);
    token.content = '\\'.repeat(escapes ? (count + (taken ? 0 : 1)) >> 1 : count) + taken;
    token.markup = src.slice(pos, end) + taken;
    token.info = 'escape';
  }
  state.pos = end + taken.length;
  return true;
}

/** Return true if the backslashes from `start` to `end` stand before a sign that would have a meaning. */
function isMeant(state: StateInline, start: number, end: number): boolean {
  const { src } = state;
  const sign = src[end] ?? '';
  const { paths, lastLink } = seen(state);
  if (sign === '`') return true;
  if (paths.has(start)) return false;
  if ('*_~<>#@'.includes(sign)) return true;
  if ('[]'.includes(sign)) return end < lastLink;
  if (sign === '(') return src[start - 1] === ']';
  if (sign === '!') return src[end + 1] === '[';
  if ('-+'.includes(sign)) return startsLine(src, start) && /[-+\s]/.test(src[end + 1] ?? ' ');
  if (!'.)'.includes(sign)) return false;
  let digits = start;
  while (digits > start - 9 && /\d/.test(src[digits - 1] ?? '')) digits--;
  return digits < start && startsLine(src, digits);
}

function startsLine(text: string, at: number): boolean {
  while (text[at - 1] === ' ') at--;
  return at === 0 || text[at - 1] === '\n';
}

/** A word whose backslashes are all meant to be seen: a path, a regular expression, a face. */
const PATH = /\\[\p{L}\p{N}]|^[A-Za-z]:\\|¯\\(?!\\)/u;

interface Seen {
  /** The indexes of backslashes in such words. */
  paths: Set<number>;
  /** The index of the last `](`, which ends the text of a link. */
  lastLink: number;
}

const known = new WeakMap<StateInline, Seen>();

function seen(state: StateInline): Seen {
  let found = known.get(state);
  if (found) return found;
  known.set(state, (found = { paths: new Set(), lastLink: state.src.lastIndexOf('](') + 1 }));
  for (const { 0: word, index } of state.src.matchAll(/\S+/g)) {
    if (!word.includes('\\') || !PATH.test(word)) continue;
    for (let at = word.indexOf('\\'); at >= 0; at = word.indexOf('\\', at + 1)) found.paths.add(index + at);
  }
  return found;
}

/** Show the first line of a code block that has text beside its fence, and the fence of a block without code. */
function keepInfo(token: Token): void {
  if (/\s/.test(token.info.trim())) [token.content, token.info] = [`${token.info.trim()}\n${token.content}`, ''];
  if (!token.content.trim()) token.content = token.markup + token.info;
}

/** Break lines in a list, whose text is in no paragraph. */
function keepBreaks(text: Token | undefined): void {
  for (const child of text?.children ?? []) if (child.type === 'softbreak') child.type = 'linebreak';
}

/**
 * Show the number of an item as it was typed, and plus signs. Where a text has lists of plus signs, its minus signs are
 * shown too: they are no bullets. The marker is text, so that it is found and copied.
 */
function keepMarker(item: Token, inner: Token[], plus: boolean, Marker: typeof Token): void {
  const { info, markup } = item;
  if (info) item.attrSet('value', String(Number(info)));
  if (!info && !(plus && '+-'.includes(markup))) return;
  item.attrSet('class', 'marked');
  const [first, text] = inner;
  if (first?.type !== 'paragraph_open' || !text?.children) item.content = info + markup;
  else text.children.unshift(Object.assign(new Marker('marker', '', 0), { content: info + markup }));
}

const markerOf = (marker: string) => marker && `<span class="marker">${marker} </span>`;
