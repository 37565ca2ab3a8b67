/**
 * What a person sees of their conversations, as a pure function: snapshot, then entries and pages, give the
 * state. Snapshot + entries equals a fresh snapshot; every step is harmless when repeated.
 */
import type { Entry } from './entry';
import type { Conversation, Id, Message, Page, Snapshot, User } from './types';

/** A run of messages without a hole, ascending; it reaches the newest unless `hasAfter`. */
export interface Timeline {
  messages: Message[];
  hasBefore: boolean;
  hasAfter: boolean;
}

export interface Model {
  me: User;
  users: ReadonlyMap<Id, User>;
  conversations: ReadonlyMap<Id, Conversation>;
  timelines: ReadonlyMap<Id, Timeline>;
}

export function emptyModel(me: User): Model {
  return { me, users: new Map([[me.id, me]]), conversations: new Map(), timelines: new Map() };
}

/**
 * A snapshot replaces the conversations, and forgets the timelines: after a restore a seq may stand for
 * something else.
 */
export function takeSnapshot(model: Model, snapshot: Snapshot): Model {
  const conversations = new Map(snapshot.conversations.map((one) => [one.id, one]));
  return { ...model, conversations, timelines: new Map() };
}

/** A conversation as the server has just described it: created, joined, or read anew. */
export function takeConversation(model: Model, fresh: Conversation): Model {
  const known = model.conversations.get(fresh.id);
  if (known && known.last_seq > fresh.last_seq) return model;
  return { ...model, conversations: put(model.conversations, fresh.id, { ...known, ...fresh }) };
}

export function takeMembers(model: Model, id: Id, members: Id[]): Model {
  const conversation = model.conversations.get(id);
  return conversation ? setConversation(model, { ...conversation, members }) : model;
}

export function takeUsers(model: Model, users: User[]): Model {
  const all = new Map(model.users);
  for (const user of users) all.set(user.id, user);
  return { ...model, users: all, me: all.get(model.me.id) ?? model.me };
}

/**
 * The newest page of a conversation, or one that adjoins its timeline; a page that leaves a hole begins a new
 * timeline.
 */
export function takePage(model: Model, id: Id, page: Page): Model {
  const newest = model.conversations.get(id)?.last_seq ?? 0;
  // entries may have come while the page was on its way
  const hasAfter = page.has_after || (page.messages.at(-1)?.seq ?? 0) < newest;
  const fresh = { messages: page.messages, hasBefore: page.has_before, hasAfter };
  const old = model.timelines.get(id);
  return setTimeline(model, id, old ? join(old, fresh) : fresh);
}

/**
 * Two overlapping or adjoining runs as one. Beyond a hole the newer run stands alone: the fresh one, or the
 * old one when an older page came late, after what it adjoined was trimmed.
 */
function join(old: Timeline, fresh: Timeline): Timeline {
  const [from, to] = [old.messages[0]?.seq, lastOf(old)];
  const [first, last] = [fresh.messages[0]?.seq, lastOf(fresh)];
  if (from === undefined || to === undefined) return fresh;
  if (first === undefined || last === undefined || last < from - 1) return old;
  if (first > to + 1) return fresh;
  const before = fresh.messages.filter((message) => message.seq < from);
  const after = fresh.messages.filter((message) => message.seq > to);
  return {
    messages: [...before, ...old.messages, ...after],
    hasBefore: first <= from ? fresh.hasBefore : old.hasBefore,
    hasAfter: last >= to ? fresh.hasAfter : old.hasAfter,
  };
}

/** Forgets the oldest of a long timeline; they can be paged in again. */
export function trimTimeline(model: Model, id: Id, keep: number): Model {
  const timeline = model.timelines.get(id);
  if (!timeline || timeline.messages.length <= keep) return model;
  return setTimeline(model, id, { ...timeline, messages: timeline.messages.slice(-keep), hasBefore: true });
}

/** The read mark moved: by me on this device (before the server knows) or on another one. */
export function markRead(model: Model, id: Id, seq: number): Model {
  const conversation = model.conversations.get(id);
  if (!conversation || seq <= conversation.read_seq) return model;
  return setConversation(model, { ...conversation, ...readTo(conversation, seq) });
}

/** The state after an entry of the log. */
export function apply(model: Model, entry: Entry): Model {
  switch (entry.event) {
    case 'message':
      return takeMessage(model, entry.data);
    case 'edit':
      return changeMessage(model, entry.data.conversation, entry.data.seq, () => entry.data);
    case 'delete':
      return changeMessage(model, entry.data.conversation, entry.data.seq, (old) => ({
        ...old,
        body: '',
        deleted: true,
      }));
    case 'read':
      return markRead(model, entry.data.conversation, entry.data.seq);
    case 'member':
      return takeMember(model, entry.data.conversation, entry.data.user, entry.data.role);
    case 'conversation':
      return changeConversation(model, entry.data);
    case 'user':
      return takeUsers(model, [{ ...model.users.get(entry.data.id), ...entry.data }]);
    default:
      return model;
  }
}

/** The conversation an entry speaks of that this state does not know yet, though its person belongs to it. */
export function missing(model: Model, entry: Entry): Id | null {
  if (entry.event === 'message') return unknown(model, entry.data.conversation);
  const joined = entry.event === 'member' && entry.data.user === model.me.id && entry.data.role !== null;
  return joined ? unknown(model, entry.data.conversation) : null;
}

/**
 * A message by its place: repeated ones change nothing, one after a hole ends the timeline's claim to reach
 * the newest.
 */
export function takeMessage(model: Model, message: Message): Model {
  const conversation = model.conversations.get(message.conversation);
  if (!conversation || message.seq <= conversation.last_seq) return appendMessage(model, message);
  const mine = message.author === model.me.id;
  const seen = { ...conversation, last_seq: message.seq, last_message: message };
  const mentioned = message.mentions?.includes(model.me.id) ? 1 : 0;
  const next = mine
    ? { ...seen, ...readTo(seen, message.seq) }
    : { ...seen, unread: conversation.unread + 1, mentions: (conversation.mentions ?? 0) + mentioned };
  return appendMessage(setConversation(model, next), message);
}

function appendMessage(model: Model, message: Message): Model {
  const timeline = model.timelines.get(message.conversation);
  const last = timeline && lastOf(timeline);
  if (!timeline || timeline.hasAfter || (last !== undefined && message.seq <= last)) return model;
  if (message.seq !== (last ?? 0) + 1)
    return setTimeline(model, message.conversation, { ...timeline, hasAfter: true });
  return setTimeline(model, message.conversation, { ...timeline, messages: [...timeline.messages, message] });
}

function changeMessage(model: Model, id: Id, seq: number, change: (old: Message) => Message): Model {
  const [conversation, timeline] = [model.conversations.get(id), model.timelines.get(id)];
  const last = conversation?.last_message;
  const one =
    conversation && last?.seq === seq
      ? setConversation(model, { ...conversation, last_message: change(last) })
      : model;
  if (!timeline) return one;
  const messages = timeline.messages.map((message) => (message.seq === seq ? change(message) : message));
  return setTimeline(one, id, { ...timeline, messages });
}

function changeConversation(
  model: Model,
  change: Pick<Conversation, 'id'> & Partial<Conversation> & { archived?: boolean },
): Model {
  const { archived, ...fields } = change;
  const known = model.conversations.get(change.id);
  if (!known) return model;
  return archived ? forget(model, change.id) : setConversation(model, { ...known, ...fields });
}

function takeMember(model: Model, id: Id, user: Id, role: Conversation['role'] | null): Model {
  const conversation = model.conversations.get(id);
  if (!conversation) return model;
  if (user === model.me.id) return role ? setConversation(model, { ...conversation, role }) : forget(model, id);
  if (!conversation.members) return model;
  const others = conversation.members.filter((member) => member !== user);
  return setConversation(model, { ...conversation, members: role ? [...others, user] : others });
}

function readTo(
  conversation: Conversation,
  seq: number,
): Pick<Conversation, 'read_seq' | 'unread' | 'mentions'> {
  const unread = Math.max(0, Math.min(conversation.unread, conversation.last_seq - seq));
  return { read_seq: seq, unread, mentions: unread ? (conversation.mentions ?? 0) : 0 };
}

function forget(model: Model, id: Id): Model {
  const [conversations, timelines] = [new Map(model.conversations), new Map(model.timelines)];
  conversations.delete(id);
  timelines.delete(id);
  return { ...model, conversations, timelines };
}

const lastOf = (timeline: Timeline): number | undefined => timeline.messages.at(-1)?.seq;
const unknown = (model: Model, id: Id): Id | null => (model.conversations.has(id) ? null : id);
const put = <V>(map: ReadonlyMap<Id, V>, id: Id, value: V): ReadonlyMap<Id, V> => new Map(map).set(id, value);
const setConversation = (model: Model, one: Conversation): Model => ({
  ...model,
  conversations: put(model.conversations, one.id, one),
});
const setTimeline = (model: Model, id: Id, one: Timeline): Model => ({
  ...model,
  timelines: put(model.timelines, id, one),
});
