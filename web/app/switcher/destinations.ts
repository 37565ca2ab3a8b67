/** Where one may want to go: conversations, people one has no conversation with yet, channels to join. Pure. */
import type { Channel, Conversation, Id, User } from '../../client';
import { nameOf } from '../names';
import { score } from './match';

export type Place =
  | { kind: 'conversation'; key: string; title: string; conversation: Conversation }
  | { kind: 'person'; key: string; title: string; user: User }
  | { kind: 'channel'; key: string; title: string; channel: Channel }
  | { kind: 'search'; key: string; title: string };

interface Known {
  /** The latest talk first. */
  conversations: Conversation[];
  titleOf: (conversation: Conversation) => string;
  users: Iterable<User>;
  channels: Channel[];
  me: Id;
}

const MOST = 12;

/** Unread ones and the latest until something is typed; then what answers best, the message search last. */
export function placesFor(typed: string, known: Known): Place[] {
  const conversations = known.conversations.map((conversation): Place => {
    return { kind: 'conversation', key: `c${conversation.id}`, title: known.titleOf(conversation), conversation };
  });
  if (!typed.trim()) return conversations.sort((a, b) => unread(b) - unread(a)).slice(0, MOST);
  const found = [...conversations, ...people(known), ...channels(known)]
    .map((place) => ({ place, best: bestOf(place, typed) }))
    .filter(({ best }) => best > -Infinity)
    .sort((a, b) => b.best - a.best)
    .map(({ place }) => place);
  return [...found.slice(0, MOST), { kind: 'search', key: 'search', title: typed.trim() }];
}

/** Those one has a direct conversation with stand in it already. */
function people({ conversations, users, me }: Known): Place[] {
  const met = new Set(conversations.filter((one) => one.kind === 'direct').flatMap((one) => one.members ?? []));
  return [...users]
    .filter((user) => user.id !== me && !met.has(user.id))
    .map((user) => ({ kind: 'person', key: `u${user.id}`, title: nameOf(user), user }));
}

function channels({ conversations, channels }: Known): Place[] {
  const mine = new Set(conversations.map((one) => one.id));
  return channels
    .filter((one) => !mine.has(one.id))
    .map((channel) => ({ kind: 'channel', key: `d${channel.id}`, title: channel.name, channel }));
}

/** What one is in stands before what one could begin. */
function bestOf(place: Place, typed: string): number {
  const names = place.kind === 'person' ? [place.title, place.user.name] : [place.title];
  const best = Math.max(...names.map((name) => score(name, typed) ?? -Infinity));
  return best - (place.kind === 'conversation' ? 0 : 2);
}

const unread = (place: Place): number =>
  place.kind === 'conversation' ? Math.sign(place.conversation.mentions ?? 0) + Math.sign(place.conversation.unread) : 0;
