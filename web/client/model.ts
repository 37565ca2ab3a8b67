/**
 * What a person sees of their conversations, as a pure function: snapshot, then entries and pages, give the
 * state. Snapshot + entries equals a fresh snapshot; every step is harmless when repeated.
 */
import { type MessageKey, keyOf } from './message';
import { change, join, merge, timelineOf, type Timeline } from './timeline';
import type {
  Conversation,
  FollowedThread,
  Id,
  Invitation,
  Member,
  Message,
  Page,
  Pin,
  Receipt,
  Role,
  Snapshot,
  User,
} from './types';

/** How far a thread that one follows is read; `unread` counts what others wrote up to `last_seq`. */
export interface Thread {
  read_seq: number;
  last_seq: number;
  unread: number;
}

export interface Model {
  me: User;
  users: ReadonlyMap<Id, User>;
  conversations: ReadonlyMap<Id, Conversation>;
  timelines: ReadonlyMap<Id, Timeline>;
  /** The replies of threads that were opened, by the place of the message that each began with. */
  replies: ReadonlyMap<MessageKey, Timeline>;
  /** The threads that this person follows. */
  threads: ReadonlyMap<MessageKey, Thread>;
  /** Messages that are known apart from timelines: quoted, pinned, answered ones. */
  loose: ReadonlyMap<MessageKey, Message>;
  /** What is pinned in conversations whose pins were read, the latest first. */
  pins: ReadonlyMap<Id, { user: Id; seq: number }[]>;
  /** Who is what, in conversations whose members were read. */
  roles: ReadonlyMap<Id, ReadonlyMap<Id, Role>>;
  /** How far the others have read, in conversations whose receipts were read. */
  receipts: ReadonlyMap<Id, ReadonlyMap<Id, number>>;
  blocked: ReadonlySet<Id>;
  /** What this person is invited to, by conversation. */
  invitations: ReadonlyMap<Id, Invitation>;
}

export function emptyModel(me: User): Model {
  const [users, conversations] = [new Map([[me.id, me]]), new Map()];
  const [blocked, invitations] = [new Set<Id>(), new Map<Id, Invitation>()];
  return { me, users, conversations, threads: new Map(), blocked, invitations, ...emptyPages() };
}

/** What is read as it is needed, and need not outlive a snapshot: after a restore a seq may stand for something else. */
function emptyPages(): Pick<Model, 'timelines' | 'replies' | 'loose' | 'pins' | 'roles' | 'receipts'> {
  const [timelines, replies, loose] = [new Map(), new Map(), new Map()];
  return { timelines, replies, loose, pins: new Map(), roles: new Map(), receipts: new Map() };
}

/** A snapshot replaces the conversations, and forgets what was read of them. */
export function takeSnapshot(model: Model, snapshot: Snapshot): Model {
  const conversations = new Map(snapshot.conversations.map((one) => [one.id, one]));
  const blocked = new Set(snapshot.blocked);
  const invitations = new Map(invitationsIn(snapshot).map((one) => [one.conversation, one]));
  return { ...model, conversations, blocked, invitations, threads: new Map(), ...emptyPages() };
}

/** A node of the version before does not know of any. */
export function invitationsIn(snapshot: Partial<Snapshot>): Invitation[] {
  return snapshot.invitations ?? [];
}

export function takeThreads(model: Model, threads: FollowedThread[]): Model {
  const known = threads.map(({ message, read_seq, unread }): [MessageKey, Thread] => [
    keyOf(message.conversation, message.seq),
    { read_seq, last_seq: message.last_reply ?? message.seq, unread },
  ]);
  return takeLoose(
    { ...model, threads: new Map(known) },
    threads.map((thread) => thread.message),
  );
}

/** Messages that were read one by one. */
export function takeLoose(model: Model, messages: Message[]): Model {
  const loose = new Map(model.loose);
  for (const message of messages) loose.set(keyOf(message.conversation, message.seq), message);
  return { ...model, loose };
}

export function takePins(model: Model, id: Id, pins: Pin[]): Model {
  const known = pins.map(({ user, message }) => ({ user, seq: message.seq }));
  return takeLoose(
    { ...model, pins: put(model.pins, id, known) },
    pins.map((pin) => pin.message),
  );
}

/** How far the others have read; what entries have said meanwhile may be further. */
export function takeReceipts(model: Model, id: Id, receipts: Receipt[]): Model {
  const known = new Map(model.receipts.get(id));
  for (const { user, seq } of receipts) known.set(user, Math.max(seq, known.get(user) ?? 0));
  return { ...model, receipts: put(model.receipts, id, known) };
}

/** What a description tells of only where it is so. */
export const defaultSettings = { archived: false, slow: 0, read_only: false };

/** A conversation as the server has just described it: created, joined, or read anew. */
export function takeConversation(model: Model, fresh: Conversation): Model {
  const known = model.conversations.get(fresh.id);
  if (known && known.last_seq > fresh.last_seq) return model;
  return setConversation(closeInvitation(model, fresh.id), { ...known, ...defaultSettings, ...fresh });
}

/** An invitation that was accepted or declined, or is no longer open. */
export function closeInvitation(model: Model, conversation: Id): Model {
  if (!model.invitations.has(conversation)) return model;
  const invitations = new Map(model.invitations);
  invitations.delete(conversation);
  return { ...model, invitations };
}

export function takeMembers(model: Model, id: Id, members: Member[]): Model {
  const conversation = model.conversations.get(id);
  if (!conversation) return model;
  const roles = put(model.roles, id, new Map(members.map(({ user, role }) => [user, role])));
  return setConversation({ ...model, roles }, { ...conversation, members: members.map((one) => one.user) });
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
  const fresh = timelineOf(page, model.conversations.get(id)?.last_seq ?? 0);
  const old = model.timelines.get(id);
  return setTimeline(model, id, old ? join(old, fresh) : fresh);
}

/** A page from anywhere in the conversation, in place of what was read before. */
export function showPage(model: Model, id: Id, page: Page): Model {
  return setTimeline(model, id, timelineOf(page, model.conversations.get(id)?.last_seq ?? 0));
}

/** The newest page of a thread, or one that adjoins what is known of it. */
export function takeReplies(model: Model, id: Id, root: number, page: Page): Model {
  const place = keyOf(id, root);
  const fresh = timelineOf(page, findMessage(model, id, root)?.last_reply ?? 0);
  const old = model.replies.get(place);
  return { ...model, replies: put(model.replies, place, old ? merge(old, fresh) : fresh) };
}

/** Forgets the oldest of a long timeline; they can be paged in again. */
export function trimOldest(model: Model, id: Id, keep: number): Model {
  const timeline = model.timelines.get(id);
  if (!timeline || timeline.messages.length <= keep) return model;
  return setTimeline(model, id, { ...timeline, messages: timeline.messages.slice(-keep), hasBefore: true });
}

/** Forgets the newest of a long timeline, which then no longer reaches the present. */
export function trimNewest(model: Model, id: Id, keep: number): Model {
  const timeline = model.timelines.get(id);
  if (!timeline || timeline.messages.length <= keep) return model;
  return setTimeline(model, id, { ...timeline, messages: timeline.messages.slice(0, keep), hasAfter: true });
}

/** The read mark moved: by me on this device (before the server knows) or on another one. */
export function markRead(model: Model, id: Id, seq: number): Model {
  const conversation = model.conversations.get(id);
  if (!conversation || seq <= conversation.read_seq) return model;
  return setConversation(model, { ...conversation, ...readTo(conversation, seq) });
}

/** A thread's read mark moved here, before the server knows. */
export function markThread(model: Model, id: Id, root: number, seq: number): Model {
  const thread = model.threads.get(keyOf(id, root));
  if (!thread || seq <= thread.read_seq) return model;
  return setThread(model, keyOf(id, root), { ...thread, read_seq: seq, unread: 0 });
}

/** A message by its place, if this state holds it anywhere. */
export function findMessage(model: Model, id: Id, seq: number): Message | undefined {
  const inTimeline = at(model.timelines.get(id), seq) ?? model.loose.get(keyOf(id, seq));
  if (inTimeline) return inTimeline;
  const last = model.conversations.get(id)?.last_message;
  if (last?.seq === seq) return last;
  for (const [place, replies] of model.replies)
    if (place.startsWith(`${id}/`)) {
      const found = at(replies, seq);
      if (found) return found;
    }
  return undefined;
}

/** Wherever it is held: in a timeline, in a thread, as the last one, or by itself. */
export function changeMessage(model: Model, id: Id, seq: number, how: (old: Message) => Message): Model {
  const [conversation, timeline] = [model.conversations.get(id), model.timelines.get(id)];
  const [last, loose] = [conversation?.last_message, model.loose.get(keyOf(id, seq))];
  let next = model;
  if (conversation && last?.seq === seq)
    next = setConversation(next, { ...conversation, last_message: how(last) });
  if (timeline) next = setTimeline(next, id, change(timeline, seq, how));
  if (loose) next = { ...next, loose: put(next.loose, keyOf(id, seq), how(loose)) };
  for (const [place, replies] of model.replies)
    if (place.startsWith(`${id}/`))
      next = { ...next, replies: put(next.replies, place, change(replies, seq, how)) };
  return next;
}

/** The answer to a correction may come before its entry; one that is older than what is known says nothing. */
export function correct(model: Model, { conversation, seq, body, files, edited_at }: Message): Model {
  const later = (old: Message) => !old.deleted && (old.edited_at ?? '') < (edited_at ?? '');
  const carried = ({ files: _, ...rest }: Message): Message => ({ ...rest, ...(files && { files }) });
  const how = (old: Message) => (later(old) ? { ...carried(old), body, ...(edited_at && { edited_at }) } : old);
  return changeMessage(model, conversation, seq, how);
}

export function readTo(
  conversation: Conversation,
  seq: number,
): Pick<Conversation, 'read_seq' | 'unread' | 'mentions'> {
  const unread = Math.max(0, Math.min(conversation.unread, conversation.last_seq - seq));
  return { read_seq: seq, unread, mentions: unread ? (conversation.mentions ?? 0) : 0 };
}

const at = (timeline: Timeline | undefined, seq: number): Message | undefined =>
  timeline?.messages.find((message) => message.seq === seq);
export const put = <K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> =>
  map.get(key) === value ? map : new Map(map).set(key, value);
export const setConversation = (model: Model, one: Conversation): Model => ({
  ...model,
  conversations: put(model.conversations, one.id, one),
});
export const setTimeline = (model: Model, id: Id, one: Timeline): Model => ({
  ...model,
  timelines: put(model.timelines, id, one),
});
export const setThread = (model: Model, place: MessageKey, one: Thread): Model => ({
  ...model,
  threads: put(model.threads, place, one),
});
