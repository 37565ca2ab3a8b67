/** Suggestions for a token: users, groups, channels and emoji, best match first. */
import type { Conversation, Id, User } from '../../client';
import type { SlashCommand } from '../../client/schema';
import type { Chat } from '../chat.svelte';
import { messages as m } from '../messages';
import { score } from '../switcher/match';
import { readEmoji } from '../emoji/data';
import { findCustom, findEmoji } from '../emoji/find';
import { emojiPreferences } from '../emoji/emoji-preferences.svelte';
import { nameOf } from '../names';
import { commandsOf } from './commands.svelte';
import type { Token } from './completion';

export interface Candidate {
  key: string;
  text: string;
  hint: string;
  insert: string;
  user?: User;
  emoji?: string;
}

const MOST = 8;
const COMMANDS_MOST = 50;
const GROUPS_MOST = 4;
const CUSTOM_MOST = 5;
const groupMentions = (): Candidate[] => [
  { key: 'here', text: '@here', hint: m.composer.everyoneHere, insert: '@here' },
  { key: 'channel', text: '@channel', hint: m.composer.everyone, insert: '@channel' },
];

/** Return the suggestions that need no request. */
export function localCandidates(token: Token, chat: Chat, conversation: Conversation): Candidate[] {
  if (token.kind === 'command') return [];
  if (token.kind === 'emoji') return customEmoji(token.typed, chat);
  if (token.kind === 'channel') return channels(token.typed, chat);
  return token.kind === 'person' ? people(token.typed, chat, conversation) : [];
}

/** Return the suggestions that need a request: users unknown to this device, and the emoji data. */
export async function remoteCandidates(token: Token, chat: Chat, conversation: Conversation): Promise<Candidate[]> {
  if (token.kind === 'emoji') {
    if (!chat.emoji.loaded) await chat.emoji.load().catch(() => undefined); // the list may still be on its way
    const custom = customEmoji(token.typed, chat);
    const standard = findEmoji(await readEmoji().catch(() => []), token.typed, MOST).map((one) => ({
      key: one.emoji,
      text: `:${one.codes.find((code) => code.startsWith(token.typed.toLowerCase())) ?? one.codes[0] ?? one.name}:`,
      hint: '',
      insert: emojiPreferences.toned(one),
      emoji: emojiPreferences.toned(one),
    }));
    return [...custom, ...standard].slice(0, MOST);
  }
  if (token.kind === 'command') return commands(await commandsOf(chat, conversation.id), token.typed);
  if (token.kind !== 'person' || !token.typed) return localCandidates(token, chat, conversation);
  chat.store.takeUsers(await chat.api.findUsers(token.typed));
  return people(token.typed, chat, conversation, chat.store.view.users);
}

function customEmoji(typed: string, chat: Chat): Candidate[] {
  return findCustom(chat.emoji.all, typed, CUSTOM_MOST).map(({ name }) => {
    const sign = `:${name}:`;
    return { key: sign, text: sign, hint: '', insert: sign, emoji: sign };
  });
}

/** Return the commands whose name begins with the letters. */
function commands(all: SlashCommand[], typed: string): Candidate[] {
  return all
    .filter(({ name }) => name.startsWith(typed.toLowerCase()))
    .slice(0, COMMANDS_MOST)
    .map(({ name, hint, description }) => ({
      key: name,
      text: `/${name}`,
      hint: hint ? `${description} · ${hint}` : description,
      insert: `/${name}`,
    }));
}

function channels(typed: string, chat: Chat): Candidate[] {
  const all = chat.sorted.flatMap((one) => (one.kind === 'channel' && one.name ? [one] : []));
  const found = ranked(all, typed, (one) => [one.name ?? '']);
  return found.map((one) => ({ key: `${one.id}`, text: `#${one.name}`, hint: one.topic ?? '', insert: `#${one.name}` }));
}

function people(
  typed: string,
  chat: Chat,
  conversation: Conversation,
  users: ReadonlyMap<Id, User> = chat.view.users,
): Candidate[] {
  const speakers = chat.view.timelines.get(conversation.id)?.messages.map((one) => one.author);
  const near = new Set(conversation.members ?? speakers ?? []);
  const all = [...users.values()].filter((user) => user.id !== chat.me && !chat.view.blocked.has(user.id));
  const found = ranked(all, typed, (user) => [user.name, nameOf(user)], (user) => (near.has(user.id) ? 5 : 0));
  const named = found.map((user) => ({
    key: `${user.id}`,
    text: nameOf(user),
    hint: `@${user.name}`,
    insert: `@${user.name}`,
    user,
  }));
  const lower = typed.toLowerCase();
  const everyone = conversation.kind === 'direct' ? [] : groupMentions().filter((one) => one.key.startsWith(lower));
  const grouped = conversation.kind === 'direct' ? [] : groups(typed, chat).slice(0, GROUPS_MOST);
  return (lower ? [...everyone, ...grouped, ...named] : [...named.slice(0, MOST - 2), ...everyone]).slice(0, MOST);
}

function groups(typed: string, chat: Chat): Candidate[] {
  const found = ranked(chat.groups.all, typed, (group) => [group.name]);
  return found.map(({ id, name, size }) => ({
    key: `group ${id}`,
    text: `@${name}`,
    hint: m.groups.members(size),
    insert: `@${name}`,
  }));
}

function ranked<T>(all: T[], typed: string, names: (one: T) => string[], extra: (one: T) => number = () => 0): T[] {
  return all
    .map((one) => ({ one, best: Math.max(...names(one).map((name) => score(name, typed) ?? -Infinity)) + extra(one) }))
    .filter(({ best }) => best > -Infinity)
    .sort((a, b) => b.best - a.best)
    .slice(0, MOST)
    .map(({ one }) => one);
}
