/** Destinations of the switcher: conversations, users without a direct conversation, and channels to join. Pure. */
import type { Channel, Conversation, Id, User } from '../../client';
import { nameOf } from '../names';
import { score } from './match';

export type Destination =
  | { kind: 'conversation'; key: string; title: string; conversation: Conversation }
  | { kind: 'user'; key: string; title: string; user: User }
  | { kind: 'channel'; key: string; title: string; channel: Channel }
  | { kind: 'search'; key: string; title: string };

interface Known {
  /** Most recent message first. */
  conversations: Conversation[];
  titleOf: (conversation: Conversation) => string;
  users: Iterable<User>;
  channels: Channel[];
  me: Id;
}

const MOST = 12;

/**
 * Return the destinations to offer. If nothing is typed: unread and recent conversations. Otherwise the best matches,
 * and a message search at the end.
 */
export function destinationsFor(typed: string, known: Known): Destination[] {
  const conversations = known.conversations.map((conversation): Destination => {
    return { kind: 'conversation', key: `c${conversation.id}`, title: known.titleOf(conversation), conversation };
  });
  if (!typed.trim()) return conversations.sort((a, b) => unread(b) - unread(a)).slice(0, MOST);
  const found = [...conversations, ...users(known), ...channels(known)]
    .map((destination) => ({ destination, best: bestOf(destination, typed) }))
    .filter(({ best }) => best > -Infinity)
    .sort((a, b) => b.best - a.best)
    .map(({ destination }) => destination);
  return [...found.slice(0, MOST), { kind: 'search', key: 'search', title: typed.trim() }];
}

/** Return the users without a direct conversation. The others are among the conversations already. */
function users({ conversations, users, me }: Known): Destination[] {
  const met = new Set(conversations.filter((one) => one.kind === 'direct').flatMap((one) => one.members ?? []));
  return [...users]
    .filter((user) => user.id !== me && !met.has(user.id))
    .map((user) => ({ kind: 'user', key: `u${user.id}`, title: nameOf(user), user }));
}

function channels({ conversations, channels }: Known): Destination[] {
  const mine = new Set(conversations.map((one) => one.id));
  return channels
    .filter((one) => !mine.has(one.id))
    .map((channel) => ({ kind: 'channel', key: `d${channel.id}`, title: channel.name, channel }));
}

/** Return the best score of a destination. Conversations that the user is in rank above new ones. */
function bestOf(destination: Destination, typed: string): number {
  const names = destination.kind === 'user' ? [destination.title, destination.user.name] : [destination.title];
  const best = Math.max(...names.map((name) => score(name, typed) ?? -Infinity));
  return best - (destination.kind === 'conversation' ? 0 : 2);
}

const unread = (destination: Destination): number =>
  destination.kind === 'conversation'
    ? Math.sign(destination.conversation.mentions ?? 0) + Math.sign(destination.conversation.unread)
    : 0;
