/**
 * A text that grows, as parts whose Markdown is independent of each other: only the last part changes when text is
 * appended. Pure; an update takes time for the appended text and the last part.
 */

export interface Part {
  /** The index in the text at which the part starts. It identifies the part. */
  at: number;
  text: string;
  /** True for the last part of a text that is still written. */
  open: boolean;
}

/** A part that is longer may also end between list items or lines. */
const LONG = 4_000;
/** After so many parts, further ones have at least so many characters, so that their number stays small. */
const MANY = 64;
const SHORT = 250;
/** So much of an incomplete line decides what it is. */
const DECIDING = 80;
const FENCE = /^ {0,3}(?:(`{3,})[^`]*|(~{3,}).*)$/;
const HEADING = /^ {0,3}#{1,6}[ \t]+\S/;
const ITEM = /^( {0,3}(?:[-+*]|\d{1,9}[.)]))( +)\S/;
/** An item without text, which continues a list and starts none. */
const EMPTY_ITEM = /^( {0,3}(?:[-+*]|\d{1,9}[.)]))() *$/;
/** The beginning of a line that can become a list item. */
const MAYBE_ITEM = /^(?:[-+*]|\d{1,9}[.)]?)? *$/;

export class GrowingText {
  private text = '';
  private closed: Part[] = [];
  private start = 0;
  /** The start of the first line that is not complete. */
  private line = 0;
  /** The signs that close the code block of the last part. */
  private fence = '';
  /** The columns before the text of a list item; 0 outside of lists. */
  private indent = 0;
  /** True if the next line is no continuation of a paragraph. */
  private free = false;
  private last: Part | null = null;

  /** Return the parts of a text; closed parts are the same objects as before. A text that is no continuation starts anew. */
  update(text: string, open: boolean): Part[] {
    if (!this.isContinuation(text, open)) this.restart();
    const known = this.text.length;
    this.text = text;
    for (let end = text.indexOf('\n', known); end >= 0; end = text.indexOf('\n', this.line)) {
      this.readLine(text.slice(this.line, end).replace(/\r$/, ''));
      this.line = end + 1;
    }
    const rest = text.slice(this.line, this.line + DECIDING);
    if (rest && this.startsPart(rest, false)) this.close();
    return this.start < text.length ? [...this.closed, this.openPart(open)] : [...this.closed];
  }

  private openPart(open: boolean): Part {
    const part = { at: this.start, text: this.text.slice(this.start), open };
    const same = this.last?.at === part.at && this.last.text === part.text && this.last.open === open;
    if (!same) this.last = part;
    return same && this.last ? this.last : part;
  }

  /** Return true if a text begins with the known one. Of a text that grows only the end is compared. */
  private isContinuation(text: string, open: boolean): boolean {
    const from = open ? Math.max(0, this.text.length - 64) : 0;
    return text.startsWith(from ? this.text.slice(from) : this.text, from);
  }

  private restart(): void {
    [this.closed, this.start, this.line, this.text] = [[], 0, 0, ''];
    [this.fence, this.indent, this.free, this.last] = ['', 0, false, null];
  }

  /** End the part before the current line. */
  private close(): void {
    this.closed.push({ at: this.start, text: this.text.slice(this.start, this.line), open: false });
    this.start = this.line;
    [this.indent, this.free] = [0, false];
  }

  private readLine(line: string): void {
    if (this.fence) {
      const closing = line.trim();
      const closes = closing.startsWith(this.fence) && /^ {0,3}\S/.test(line) && !closing.replaceAll(this.fence[0] ?? '', '');
      if (closes) [this.fence, this.free] = ['', true];
      return;
    }
    if (!line.trim()) return void (this.free = true);
    if (this.startsPart(line, true)) this.close();
    const item = ITEM.exec(line) ?? (this.indent ? EMPTY_ITEM.exec(line) : null);
    const indent = line.length - line.trimStart().length;
    if (indent < this.indent || !this.indent) this.indent = item ? contentOf(item) : 0;
    const fence = this.indent && indent >= this.indent ? null : FENCE.exec(line);
    this.fence = fence?.[1] ?? fence?.[2] ?? '';
    this.free = !this.indent && HEADING.test(line);
  }

  /** Return true if a line starts a part, whatever follows. Of an incomplete line only the beginning is known. */
  private startsPart(line: string, complete: boolean): boolean {
    if (this.fence || this.line === this.start || !line.trim()) return false;
    const length = this.line - this.start;
    if (this.closed.length >= MANY && length < SHORT) return false;
    const long = length > LONG;
    if (this.indent) {
      if (/^\s/.test(line) || EMPTY_ITEM.test(line) || (!complete && MAYBE_ITEM.test(line))) return false;
      return ITEM.test(line) ? long : this.free;
    }
    if (this.free || (complete && (FENCE.test(line) || HEADING.test(line)))) return true;
    return long && complete && !/^\s*>|\|/.test(line);
  }
}

const contentOf = ([, marker = '', space = '']: RegExpExecArray) => marker.length + (space.length > 4 ? 1 : space.length || 1);

/** Signs of one line that begin or end something, with the sign after them. */
const MARKUP = /\\.|`+|(?:\*\*|~~|\*)(?=(\S)?)/g;
const LINK = /!?\[([^[\]]*)\]\([^()\s]*$/;
/** A line that has only signs whose meaning depends on what follows. */
const BARE = /^(?:>[ \t]?)*(?:[-+*]|\d{1,9}[.)]|#{1,6}|`{1,2}|~{1,2}|`{3,}[^`]*|~{3,}.*|\|)?$/;
const FENCES = /^ *(?:`{3,}[^`\n]*|~{3,}[^\n]*)$/gm;

/**
 * Return the last part of a text that is still written, as it probably continues: markup is ended, and signs that have no
 * meaning yet are left out.
 */
export function completed(text: string): string {
  const at = text.lastIndexOf('\n') + 1;
  const [before, line] = [text.slice(0, at), text.slice(at)];
  const code = openCode(before);
  if (code !== null) return withCode(text, code, before, line);
  return completedTable(before, line) ?? (BARE.test(line.trim()) ? before.trimEnd() : before + completedLine(line));
}

/** Return the index after the first line of the code block that is open at the end of these lines, or null. */
function openCode(lines: string): number | null {
  let [fence, start] = ['', 0];
  for (const { 0: line, index } of lines.matchAll(FENCES)) {
    const sign = /`+|~+/.exec(line)?.[0] ?? '';
    if (!fence) [fence, start] = [sign, index + line.length + 1];
    else if (sign.startsWith(fence) && line.trim() === sign) fence = '';
  }
  return fence ? start : null;
}

/** Return a code block without the beginning of its last fence. A block without code is not shown yet. */
function withCode(text: string, start: number, before: string, line: string): string {
  const shown = /^ *(?:`+|~+)$/.test(line) ? before : text;
  return shown.slice(start).trim() ? shown : text.slice(0, text.lastIndexOf('\n', start - 2) + 1).trimEnd();
}

/** Return a table of which only the head is written, with the line below its head; null for other lines. */
function completedTable(before: string, line: string): string | null {
  const start = before.lastIndexOf('\n', before.length - 2) + 1;
  const above = before.slice(start).trimEnd();
  if (/^\| *[^|\s]/.test(line) && isBlank(before)) return `${before}${line}\n${ruleFor(line)}`;
  const isRule = above.startsWith('|') && /^\|?[ :|-]*$/.test(line);
  return isRule && isBlank(before.slice(0, start)) ? before + ruleFor(above) : null;
}

/** Return true if these lines are none, or if the last one is empty. */
const isBlank = (lines: string) => !lines.trimEnd() || /\n[ \t]*\n$/.test(lines);

function ruleFor(head: string): string {
  const cells = head.trim().replace(/^\||(?<!\\)\|$/g, '').split(/(?<!\\)\|/).length;
  return `|${'-|'.repeat(cells)}`;
}

/** Return a line with its markup ended, and without signs at its end that begin something. */
function completedLine(raw: string): string {
  const line = raw.replace(LINK, '$1');
  const open: { sign: string; end: number }[] = [];
  MARKUP.lastIndex = 0;
  for (let found = MARKUP.exec(line); found; found = MARKUP.exec(line)) {
    const { 0: sign, 1: after } = found;
    const end = MARKUP.lastIndex;
    if (sign.startsWith('\\')) continue;
    if (sign.startsWith('`')) {
      MARKUP.lastIndex = closeOf(line, sign, end);
      if (MARKUP.lastIndex) continue;
      return end === line.length ? line.slice(0, -sign.length) : `${line}${line.endsWith('`') ? ' ' : ''}${sign}`;
    }
    const known = open.findLastIndex((one) => one.sign === sign);
    const begins = end === line.length || (after && !/[A-Za-z0-9]/.test(line[found.index - 1] ?? ''));
    if (known >= 0) open.length = known;
    else if (begins) open.push({ sign, end });
  }
  let text = line.trimEnd();
  const space = line.slice(text.length);
  for (let last = open.at(-1); last && last.end >= text.length; last = open.at(-1)) {
    text = text.slice(0, -last.sign.length);
    open.pop();
  }
  return text + open.map(({ sign }) => sign).reverse().join('') + space;
}

/** Return the index after the signs that end a piece of code, or 0. */
function closeOf(line: string, sign: string, from: number): number {
  for (let at = line.indexOf('`', from); at >= 0; ) {
    let end = at;
    while (line[end] === '`') end++;
    if (end - at === sign.length) return end;
    at = line.indexOf('`', end);
  }
  return 0;
}
