/**
 * Mentions in a message: `@name` of a user that the message mentions, as the server found them, and `#channel` of a
 * channel that the reader has joined. Names are parsed and compared as on the server. Pure; time grows linearly with
 * the text.
 */
import type { MarkdownIt, StateInline, Token } from 'markdown-it';
import type { Id } from '../../client';
import { lookKey } from '../appearance';

/** The users and channels that the names of one text refer to. */
export interface Mentions {
  /** `name:id,name:id`, in lower case. */
  people: string;
  /** A line `id key` for each channel. */
  channels: string;
  /** The user groups that the text may mention: `name:id,name:id`, in lower case. */
  groups: string;
  /** `id,id` of those that the reader is in. */
  ours: string;
  /** `here` or `channel` if the message mentions all members, else empty. */
  all: string;
  me: number;
  /** The custom emoji that the text may show: `name=address,name=address`. */
  emoji: string;
  /** True to find all names, also those of unknown users. */
  anyone?: boolean;
}

export const NO_MENTIONS: Mentions = { people: '', channels: '', groups: '', ours: '', all: '', me: 0, emoji: '' };

const SPACED = '\\u00aa\\u00b5\\u00ba\\u00c0-\\u0dff'; // letters of the scripts that put spaces between words
const BEFORE = `(?<=(?:^|[^A-Za-z0-9_@+%${SPACED}-])_{0,3})`; // underscores before the sign may be markup
const PERSON = new RegExp(`${BEFORE}@([A-Za-z0-9_.-]{2,})(?![A-Za-z0-9_.@${SPACED}-])`, 'y');
const CHANNEL = /(?<![\p{L}\p{M}\p{N}_&/#])#/uy;
const CHANNELS = new RegExp(CHANNEL.source, 'gu');

/**
 * Return the id of a name in a list. Periods, dashes and underscores after it belong to the sentence; an old name that
 * ends in them is meant only by exactly that name, and only if no user has the name without them.
 */
export function idOf(list: string, said: string): { id: number; name: string } | null {
  const ids = known(list);
  for (const name of [said.slice(0, lengthWithoutEnd(said)), said]) {
    const id = ids.get(name.toLowerCase());
    if (id) return { id: Number(id), name };
  }
  return null;
}

let last: [list: string, ids: Map<string, string>] = ['', new Map()];

/** Return the list as a map. The last map is cached, because one text looks up the same list many times. */
function known(list: string): Map<string, string> {
  if (last[0] !== list) last = [list, new Map(list.split(',').map((one) => one.split(':') as [string, string]))];
  return last[1];
}

/** Return the length of a name without periods and dashes at its end. A regular expression would take quadratic time. */
function lengthWithoutEnd(said: string): number {
  let end = said.length;
  while (end > 0 && '._-'.includes(said[end - 1] as string)) end--;
  return end;
}

/** The channels of a text: their ids by the key of their name, and the longest key for each first letter. */
interface Channels {
  ids: Map<string, Id>;
  longest: Map<string, number>;
}

/** List the channels that a text may name, each as a line `id key`. Names are compared by what they look like. */
export function channelsIn(text: string, channels: { id: Id; name: string | null }[]): string {
  if (!text.includes('#')) return '';
  let all = indexes.get(channels);
  if (!all) indexes.set(channels, (all = indexOf(channels.map(({ id, name }) => [id, keyOf(name ?? '')]))));
  const named = new Map<Id, string>();
  for (const { index } of text.matchAll(CHANNELS)) {
    const found = channelAt(text, index + 1, all);
    if (found) named.set(found.id, `${found.id} ${found.key}`);
  }
  return [...named.values()].join('\n');
}

/** The index of each list of channels: many texts look up the same list. */
const indexes = new WeakMap<readonly object[], Channels>();
let lastList: [list: string, channels: Channels] = ['', indexOf([])];

function channelsOf(list: string): Channels {
  if (lastList[0] !== list) {
    const lines = list.split('\n').map((line) => [Number.parseInt(line), line.slice(line.indexOf(' ') + 1)] as [Id, string]);
    lastList = [list, indexOf(lines)];
  }
  return lastList[1];
}

function indexOf(channels: [Id, key: string][]): Channels {
  const index: Channels = { ids: new Map(), longest: new Map() };
  for (const [id, key] of channels) {
    if (!key || index.ids.has(key)) continue;
    index.ids.set(key, id);
    const first = String.fromCodePoint(key.codePointAt(0) ?? 0);
    index.longest.set(first, Math.max(key.length, index.longest.get(first) ?? 0));
  }
  return index;
}

const keys = new Map<string, string>();

/** Return the key of a name. Keys are cached, because every text with a `#` is compared with all channels. */
function keyOf(name: string): string {
  let key = keys.get(name);
  if (key === undefined) {
    if (keys.size > 5_000) keys.clear();
    keys.set(name, (key = lookKey(name)));
  }
  return key;
}

/** Return the channel with the longest name that stands at this index, and the index after the name. */
function channelAt(text: string, start: number, { ids, longest }: Channels): { id: Id; key: string; end: number } | null {
  let [key, found, most] = ['', null as { id: Id; key: string; end: number } | null, Infinity];
  for (let at = start; at < text.length && text[at] !== '\n' && key.length < most; ) {
    const { key: letter, end } = letterAt(text, at);
    if (!(letter === ' ' && key.endsWith(' '))) key += letter;
    if (most === Infinity && key) most = longest.get(String.fromCodePoint(key.codePointAt(0) ?? 0)) ?? 0;
    const id = ids.get(key);
    if (id && isEnd(text, end)) found = { id, key, end };
    at = end;
  }
  return found;
}

/** Return true unless a word goes on at this index. Periods and dashes within a word are part of it. */
function isEnd(text: string, at: number): boolean {
  if (!/[\p{L}\p{M}\p{N}]$/u.test(text.slice(at - 2, at))) return true;
  return !/^[._-]{0,80}[\p{L}\p{M}\p{N}]/u.test(text.slice(at, at + 82));
}

/** A letter with its marks; the letters of old Korean, which are composed. */
const LETTER = /[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]+|[^][\p{M}\u200c\u200d\uff9e\uff9f]*/uy;

interface Letter {
  key: string;
  /** The index after it. */
  end: number;
}

let lastLetters: [text: string, letters: Letter[]] = ['', []];

/** Return the letter at this index. Those of the last text are cached: several channels may begin before it. */
function letterAt(text: string, at: number): Letter {
  if (lastLetters[0] !== text) lastLetters = [text, []];
  return (lastLetters[1][at] ??= readLetter(text, at));
}

function readLetter(text: string, at: number): Letter {
  LETTER.lastIndex = at;
  const letter = LETTER.exec(text)?.[0] ?? ' ';
  return { key: lookKey(letter) || (/[\s\u2800]/.test(letter) ? ' ' : ''), end: at + letter.length };
}

/** The plugin for markdown-it. */
export function mentions(md: MarkdownIt): void {
  md.inline.ruler.before('emphasis', 'person', person);
  md.inline.ruler.before('emphasis', 'channel', channel);
  md.core.ruler.push('quoted', ({ tokens }) => {
    for (const { children } of withinQuotes(tokens))
      for (const child of children ?? [])
        if (child.type === 'mention_open' && child.attrGet('class')) child.attrSet('class', 'call');
  });
}

/** Yield the tokens within quotes. A quoted name calls no one. */
function* withinQuotes(tokens: Token[]): Generator<Token> {
  let depth = 0;
  for (const token of tokens) {
    if (token.type.startsWith('blockquote')) depth += token.nesting;
    if (depth > 0) yield token;
  }
}

/** Return the names that a parsed text mentions with `@`, in lower case. */
export function namesIn(tokens: Token[]): Set<string> {
  const quoted = new Set(withinQuotes(tokens));
  const names = new Set<string>();
  for (const token of tokens)
    for (const [at, child] of (quoted.has(token) ? [] : (token.children ?? [])).entries())
      if (child.type === 'mention_open') {
        const said = token.children?.[at + 1]?.content ?? '';
        names.add(said.slice(1, lengthWithoutEnd(said)).toLowerCase());
      }
  return names;
}

function person(state: StateInline, silent: boolean): boolean {
  const said = match(PERSON, state);
  if (said === null || isInAddress(state.src, state.pos)) return false;
  const { people, groups, ours, all, me, anyone } = mentionsOf(state);
  const everyone = all && idOf(`${all}:1`, said);
  const user = everyone || idOf(people, said);
  const group = user ? null : idOf(groups, said);
  const found = user || group || (anyone && { id: 0, name: said });
  if (!found) return false;
  const mine = group ? ours.split(',').includes(String(group.id)) : Boolean(everyone) || found.id === me;
  const attributes: [string, string][] = [['class', mine ? 'call mine' : 'call']];
  if (!everyone) attributes.push(['type', 'button'], [group ? 'data-group' : 'data-user', String(found.id)]);
  return put(state, silent, everyone ? 'span' : 'button', attributes, `@${found.name}`);
}

let lastAddresses: [text: string, found: { start: number; end: number }[]] = ['', []];

/** Return true within an address, also where it is no link. */
export function isInAddress(text: string, at: number): boolean {
  if (lastAddresses[0] !== text) {
    const found = text.matchAll(/\b(?:https?:\/\/|www\.)\S+/gi);
    lastAddresses = [text, [...found].map(({ 0: one, index }) => ({ start: index, end: index + one.length }))];
  }
  return lastAddresses[1].some(({ start, end }) => start < at && at < end);
}

function channel(state: StateInline, silent: boolean): boolean {
  const { src, pos } = state;
  const { channels } = mentionsOf(state);
  if (src[pos] !== '#' || !channels) return false;
  CHANNEL.lastIndex = pos;
  const found = CHANNEL.test(src) ? channelAt(src, pos + 1, channelsOf(channels)) : null;
  if (!found) return false;
  const attributes: [string, string][] = [
    ['class', 'call'],
    ['href', `/c/${found.id}`],
  ];
  return put(state, silent, 'a', attributes, src.slice(pos, found.end));
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
