/**
 * Changes of a single message, as pure functions. Repeating a change does no harm, because a page can be newer than
 * the entry that is applied to it.
 */
import type { ReactionChange } from './entry';
import type { Id, Message, Reaction, User } from './types';

/** A reaction lists the ids of at most so many users. */
const LISTED_USERS = 100;

/** A message's key: its conversation and `seq`. */
export type MessageKey = `${Id}/${number}`;
export const keyOf = (conversation: Id, seq: number): MessageKey => `${conversation}/${seq}`;

/** Return what remains of a deleted message: conversation, `seq`, author, time and thread. */
export function asDeleted(old: Message): Message {
  const { conversation, seq, author, client_id, created_at, thread, replies, last_reply, last_reply_at } = old;
  const answers = { thread, replies, last_reply, last_reply_at };
  const left = Object.entries(answers).filter(([, value]) => value !== undefined);
  return {
    conversation,
    seq,
    author,
    body: '',
    client_id,
    created_at,
    ...Object.fromEntries(left),
    deleted: true,
  };
}

export function withReaction(old: Message, change: ReactionChange): Message {
  const { reactions = [], ...rest } = old;
  const known = reactions.some((one) => one.emoji === change.emoji);
  const all = known || !change.on ? reactions : [...reactions, { emoji: change.emoji, users: [] }];
  const left = all
    .map((one) => (one.emoji === change.emoji ? applyToReaction(one, change) : one))
    .filter((one) => one.users.length);
  return left.length ? { ...rest, reactions: left } : rest;
}

function applyToReaction(reaction: Reaction, { user, on, count, shown }: ReactionChange): Reaction {
  const { emoji, users } = reaction;
  const next = on ? addUser(users, user) : removeUser(users, user, shown);
  return { emoji, users: next, ...(count !== undefined && { count }) };
}

function addUser(users: Id[], user: Id): Id[] {
  return users.includes(user) || users.length >= LISTED_USERS ? users : [...users, user];
}

function removeUser(users: Id[], user: Id, shown: Id | undefined): Id[] {
  const others = users.filter((one) => one !== user);
  return shown === undefined || others.includes(shown) ? others : [...others, shown];
}

export function withPin(old: Message, on: boolean): Message {
  const { pinned: _, ...rest } = old;
  return on ? { ...rest, pinned: true } : rest;
}

/** Return the first message of a thread after a reply. A reply that was already counted is not counted again. */
export function withReply(root: Message, reply: Message): Message {
  if (reply.seq <= (root.last_reply ?? 0)) return root;
  const latest = [root.last_reply_at ?? '', reply.created_at].sort()[1] ?? '';
  return { ...root, replies: (root.replies ?? 0) + 1, last_reply: reply.seq, last_reply_at: latest };
}

type Mentions = Pick<Message, 'mentions' | 'mentions_all'> & { author?: Id };

/**
 * Return true if a message mentions this user, by name or by mentioning everyone. Messages of blocked users never
 * do.
 */
export function mentionsMe(message: Mentions, { me, blocked }: { me: User; blocked: ReadonlySet<Id> }): boolean {
  const { author = 0, mentions, mentions_all } = message;
  if (author === me.id || blocked.has(author)) return false;
  return mentions_all !== undefined || (mentions?.includes(me.id) ?? false);
}
