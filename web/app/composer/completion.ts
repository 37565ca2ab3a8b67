/** Completion of the mention, channel, emoji or command at the caret, and commands in a text. Pure. */

export interface Token {
  kind: 'person' | 'channel' | 'emoji' | 'command';
  /** The index of its sign in the text. */
  start: number;
  /** The text after the sign. */
  typed: string;
}

const SIGNS: Record<string, Token['kind']> = { '@': 'person', '#': 'channel', ':': 'emoji' };
const TOKEN = /(?:^|[\s([{"'“„«])(?:([@:])([\p{L}\p{M}\p{N}_.+-]*)|(#)([^\s#]*))$/u;

/** A command is the first word of a text: `/remind`, but neither `/usr/bin` nor `/ 2`. */
const COMMAND = /^\/([a-z][a-z0-9_-]{0,31})(?:\s|$)/i;
const COMMAND_TOKEN = /^\/([a-z][a-z0-9_-]{0,31}|)$/i;

/** Return the command that a text is, with the words after its name; null for a message. */
export function commandIn(text: string): { name: string; words: string } | null {
  const [start, name] = COMMAND.exec(text) ?? [];
  return start && name ? { name: name.toLowerCase(), words: text.slice(start.length).trim() } : null;
}

/** Return the message that a text is: two slashes before a command's name stand for one. */
export function withoutEscape(text: string): string {
  return text.startsWith('//') && COMMAND.test(text.slice(1)) ? text.slice(1) : text;
}

/**
 * Return the token that ends at the caret. An emoji needs two letters, because a colon is common in text. Time is
 * linear: 64 characters are searched for a token, and the text before it for code fences.
 */
export function tokenAt(text: string, caret: number): Token | null {
  const command = COMMAND_TOKEN.exec(text.slice(0, Math.min(caret, 40)))?.[1];
  if (command !== undefined && caret <= 40) return { kind: 'command', start: 0, typed: command };
  const before = text.slice(Math.max(0, caret - 64), caret);
  const [, mark, name, hash, channel] = TOKEN.exec(before) ?? [];
  const [sign, typed] = [mark ?? hash ?? '', name ?? channel ?? ''];
  const kind = SIGNS[sign];
  if (!kind || (kind === 'emoji' && typed.length < 2) || isInCode(text.slice(0, caret))) return null;
  return { kind, start: caret - typed.length - 1, typed };
}

/** Return true in an open code block, where signs have no meaning. */
function isInCode(before: string): boolean {
  return (before.match(/^ {0,3}```/gm) ?? []).length % 2 === 1;
}

/** Replace the token; return the new text and the new position of the caret. */
export function complete(text: string, token: Token, insert: string): { text: string; caret: number } {
  const end = token.start + 1 + token.typed.length;
  const rest = text.slice(end);
  const gap = /^\s/.test(rest) ? '' : ' ';
  const before = text.slice(0, token.start) + insert + gap;
  return { text: before + rest, caret: before.length + (gap ? 0 : 1) };
}
