/**
 * Changes of a single message, as pure functions. Repeating a change does no harm, because a page can be newer than
 * the entry that is applied to it.
 */
import type { Append, Finish, PreviewsChange, ReactionChange } from './entry';
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

/** Return what remains of a message that its author took back before anyone had read it. Apps do not show it. */
export function asUndone(old: Message): Message {
  return { ...asDeleted(old), type: 'undone' };
}

export const isUndone = ({ deleted, type }: Message): boolean => deleted === true && type === 'undone';

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

/** Return a message with these previews instead of those that it had. */
export function withPreviews(old: Message, { previews }: Pick<PreviewsChange, 'previews'>): Message {
  const { previews: _, ...rest } = old;
  return previews.length && !old.deleted ? { ...rest, previews } : rest;
}

/** Return the first message of a thread after a reply. A reply that was already counted is not counted again. */
export function withReply(root: Message, reply: Message): Message {
  if (reply.seq <= (root.last_reply ?? 0)) return root;
  const latest = [root.last_reply_at ?? '', reply.created_at].sort()[1] ?? '';
  return { ...root, replies: (root.replies ?? 0) + 1, last_reply: reply.seq, last_reply_at: latest };
}

/** Lengths in code points, by message: an append to a long text counts only what it adds. */
const lengths = new WeakMap<Message, number>();

/** Return the length of a message's text in code points, as the log counts. */
export function textLength(message: Message): number {
  const known = lengths.get(message) ?? codePoints(message.body);
  lengths.set(message, known);
  return known;
}

/** Return the number of code points in a text. */
export function codePoints(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

/** Return a text without its first `count` code points. */
export function withoutFirst(text: string, count: number): string {
  let at = 0;
  for (let left = count; left > 0 && at < text.length; left--) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return text.slice(at);
}

/**
 * Return a streamed message with the part of an append that it does not have yet. An append behind the end of the text
 * changes nothing: something is missing before it. Neither does one for a message that has ended, and may be edited.
 */
export function withAppend(old: Message, { at, text }: Append): Message {
  const length = textLength(old);
  if (!old.streaming || at > length) return old;
  const fresh = withoutFirst(text, length - at);
  if (!fresh) return old;
  const next = { ...old, body: old.body + fresh };
  lengths.set(next, length + codePoints(fresh));
  return next;
}

/** Return a streamed message after its end, which tells its state and the users that its text mentions. */
export function withFinish(old: Message, { length: _, author: __, ...told }: Finish): Message {
  if (!old.streaming) return old;
  const { streaming: ___, ...rest } = old;
  const next: Message = { ...rest, ...told };
  lengths.set(next, textLength(old));
  return next;
}

/** The fields that change while a message is streamed. */
const STREAMED = new Set(['body', 'streaming', 'state', 'mentions', 'mentions_all', 'data']);

/** Return a message with the text of a copy that was just loaded. */
export function withText(old: Message, fresh: Message): Message {
  if (old.deleted || fresh.deleted) return old;
  const kept = Object.entries(old).filter(([name]) => !STREAMED.has(name));
  const text = Object.entries(fresh).filter(([name]) => STREAMED.has(name));
  return Object.fromEntries([...kept, ...text]) as unknown as Message;
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
