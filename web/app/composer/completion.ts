/** What a text being typed could be completed with, seen from its caret. Pure. */

export interface Token {
  kind: 'person' | 'channel' | 'emoji';
  /** Where its sign stands, and what was typed after it. */
  start: number;
  typed: string;
}

const SIGNS: Record<string, Token['kind']> = { '@': 'person', '#': 'channel', ':': 'emoji' };
const TOKEN = /(?:^|[\s([{"'“„«])([@#:])([\p{L}\p{N}_.+-]*)$/u;

/** The name that is being typed; an emoji's from its second letter on, for a colon alone is a colon. */
export function tokenAt(text: string, caret: number): Token | null {
  const before = text.slice(Math.max(0, caret - 64), caret);
  const [, sign = '', typed = ''] = TOKEN.exec(before) ?? [];
  const kind = SIGNS[sign];
  if (!kind || (kind === 'emoji' && typed.length < 2) || isInCode(text.slice(0, caret))) return null;
  return { kind, start: caret - typed.length - 1, typed };
}

/** Within a block of code signs are signs. */
function isInCode(before: string): boolean {
  return (before.match(/^ {0,3}```/gm) ?? []).length % 2 === 1;
}

/** The text with the token replaced, and where the caret is then. */
export function complete(text: string, token: Token, insert: string): { text: string; caret: number } {
  const end = token.start + 1 + token.typed.length;
  const rest = text.slice(end);
  const gap = /^\s/.test(rest) ? '' : ' ';
  const before = text.slice(0, token.start) + insert + gap;
  return { text: before + rest, caret: before.length + (gap ? 0 : 1) };
}
