/**
 * Names in a text that lead somewhere: `@name` of whom the server says that the message reaches them, and
 * `#channel` of a channel one is in. Reads names as the server does. Pure.
 */
import type { MarkdownIt, StateInline } from 'markdown-it';

/** What the names of one text mean; each list as `name:id,name:id`, in lower case. */
export interface Naming {
  people: string;
  channels: string;
  /** How it calls everybody, if it does. */
  all: string;
  me: number;
}

export const NOBODY: Naming = { people: '', channels: '', all: '', me: 0 };

const SPACED = '\\u00aa\\u00b5\\u00ba\\u00c0-\\u0dff'; // letters of the scripts that put spaces between words
const PERSON = new RegExp(
  `(?<![A-Za-z0-9_@+%${SPACED}-])@([A-Za-z0-9_.-]{2,})(?![A-Za-z0-9_.@${SPACED}-])`,
  'y',
);
const CHANNEL = /(?<![\p{L}\p{N}_&#/])#([\p{L}\p{N}_.-]+)/uy;

/** The id that a list gives a name, also when full stops and dashes at its end are the sentence's. */
export function idOf(list: string, said: string): { id: number; name: string } | null {
  const known = new Map(list.split(',').map((one) => one.split(':') as [string, string]));
  const least = said.replace(/[._-]+$/, '').length;
  for (let end = said.length; end >= Math.max(1, least); end--) {
    const id = known.get(said.slice(0, end).toLowerCase());
    if (id) return { id: Number(id), name: said.slice(0, end) };
  }
  return null;
}

/** The list of those channels that a text may name. */
export function channelsIn(text: string, channels: { id: number; name: string | null }[]): string {
  if (!text.includes('#')) return '';
  const lower = text.toLowerCase();
  const named = channels.filter(({ name }) => name && lower.includes(`#${name.toLowerCase()}`));
  return named.map(({ id, name }) => `${name?.toLowerCase()}:${id}`).join();
}

export function calls(md: MarkdownIt): void {
  md.inline.ruler.before('emphasis', 'person', person);
  md.inline.ruler.before('emphasis', 'channel', channel);
}

function person(state: StateInline, silent: boolean): boolean {
  const said = match(PERSON, state);
  if (said === null) return false;
  const { people, all, me } = namingOf(state);
  const everybody = all && idOf(`${all}:1`, said);
  const found = everybody || idOf(people, said);
  if (!found) return false;
  const mine = Boolean(everybody) || found.id === me;
  const attributes: [string, string][] = [['class', mine ? 'call mine' : 'call']];
  if (!everybody) attributes.push(['type', 'button'], ['data-user', String(found.id)]);
  return put(state, silent, everybody ? 'span' : 'button', attributes, `@${found.name}`);
}

function channel(state: StateInline, silent: boolean): boolean {
  const said = match(CHANNEL, state);
  const found = said !== null && idOf(namingOf(state).channels, said);
  if (!found) return false;
  const attributes: [string, string][] = [
    ['class', 'call'],
    ['href', `/c/${found.id}`],
  ];
  return put(state, silent, 'a', attributes, `#${found.name}`);
}

const namingOf = (state: StateInline) => state.env as unknown as Naming;

function match(pattern: RegExp, state: StateInline): string | null {
  pattern.lastIndex = state.pos;
  return pattern.exec(state.src)?.[1] ?? null;
}

function put(
  state: StateInline,
  silent: boolean,
  tag: string,
  attributes: [string, string][],
  text: string,
): boolean {
  if (!silent) {
    state.push('call_open', tag, 1).attrs = attributes;
    state.push('text', '', 0).content = text;
    state.push('call_close', tag, -1);
  }
  state.pos += text.length;
  return true;
}
