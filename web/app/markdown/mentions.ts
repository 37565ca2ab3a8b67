/**
 * Mentions in a message: `@name` of a user that the message mentions, as the server found them, and `#channel` of a
 * channel that the reader has joined. Names are parsed as on the server. Pure; time grows linearly with the text.
 */
import type { MarkdownIt, StateInline } from 'markdown-it';

/** The users and channels that the names of one text refer to; each list as `name:id,name:id`, in lower case. */
export interface Mentions {
  people: string;
  channels: string;
  /** `here` or `channel` if the message mentions all members, else empty. */
  all: string;
  me: number;
}

export const NO_MENTIONS: Mentions = { people: '', channels: '', all: '', me: 0 };

const SPACED = '\\u00aa\\u00b5\\u00ba\\u00c0-\\u0dff'; // letters of the scripts that put spaces between words
const PERSON = new RegExp(
  `(?<![A-Za-z0-9_@+%${SPACED}-])@([A-Za-z0-9_.-]{2,})(?![A-Za-z0-9_.@${SPACED}-])`,
  'y',
);
const CHANNEL = /(?<![\p{L}\p{N}_&#/])#([\p{L}\p{N}_.-]+)/uy;
const CHANNELS = new RegExp(CHANNEL.source, 'gu');

/** Return the id of a name in a list, ignoring periods and dashes after the name, which belong to the sentence. */
export function idOf(list: string, said: string): { id: number; name: string } | null {
  const { ids, longest } = known(list);
  const least = Math.max(1, lengthWithoutEnd(said));
  for (let end = Math.min(said.length, longest); end >= least; end--) {
    const id = ids.get(said.slice(0, end).toLowerCase());
    if (id) return { id: Number(id), name: said.slice(0, end) };
  }
  return null;
}

interface Known {
  ids: Map<string, string>;
  longest: number;
}

let last: [list: string, known: Known] = ['', { ids: new Map(), longest: 0 }];

/** Return the list as a map. The last map is cached, because one text looks up the same list many times. */
function known(list: string): Known {
  if (last[0] !== list) {
    const ids = new Map(list.split(',').map((one) => one.split(':') as [string, string]));
    last = [list, { ids, longest: Math.max(...[...ids.keys()].map((name) => name.length)) }];
  }
  return last[1];
}

/** Return the length of a name without periods and dashes at its end. A regular expression would take quadratic time. */
function lengthWithoutEnd(said: string): number {
  let end = said.length;
  while (end > 0 && '._-'.includes(said[end - 1] as string)) end--;
  return end;
}

const NAME_MOST = 80; // characters of a channel's name

/** List the channels that a text may name. */
export function channelsIn(text: string, channels: { id: number; name: string | null }[]): string {
  const said = new Set<string>();
  for (const [, name = ''] of text.matchAll(CHANNELS)) {
    const least = Math.max(1, lengthWithoutEnd(name));
    for (let end = Math.min(name.length, NAME_MOST); end >= least; end--) said.add(name.slice(0, end).toLowerCase());
  }
  if (!said.size) return '';
  const named = channels.filter(({ name }) => name && said.has(name.toLowerCase()));
  return named.map(({ id, name }) => `${name?.toLowerCase()}:${id}`).join();
}

/** The plugin for markdown-it. */
export function mentions(md: MarkdownIt): void {
  md.inline.ruler.before('emphasis', 'person', person);
  md.inline.ruler.before('emphasis', 'channel', channel);
}

function person(state: StateInline, silent: boolean): boolean {
  const said = match(PERSON, state);
  if (said === null) return false;
  const { people, all, me } = mentionsOf(state);
  const everyone = all && idOf(`${all}:1`, said);
  const found = everyone || idOf(people, said);
  if (!found) return false;
  const mine = Boolean(everyone) || found.id === me;
  const attributes: [string, string][] = [['class', mine ? 'call mine' : 'call']];
  if (!everyone) attributes.push(['type', 'button'], ['data-user', String(found.id)]);
  return put(state, silent, everyone ? 'span' : 'button', attributes, `@${found.name}`);
}

function channel(state: StateInline, silent: boolean): boolean {
  const said = match(CHANNEL, state);
  const found = said !== null && idOf(mentionsOf(state).channels, said);
  if (!found) return false;
  const attributes: [string, string][] = [
    ['class', 'call'],
    ['href', `/c/${found.id}`],
  ];
  return put(state, silent, 'a', attributes, `#${found.name}`);
}

const mentionsOf = (state: StateInline) => state.env as unknown as Mentions;

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
    state.push('mention_open', tag, 1).attrs = attributes;
    state.push('text', '', 0).content = text;
    state.push('mention_close', tag, -1);
  }
  state.pos += text.length;
  return true;
}
