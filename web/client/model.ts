/**
 * A user's conversations as a pure function of the snapshot, entries and pages. A snapshot plus entries equals a
 * fresh snapshot. Repeating a step does no harm.
 */
import { keyOf, type MessageKey } from './message';
import { defaultSidebar, type SidebarChange } from './sidebar';
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
  Sidebar,
  Snapshot,
  User,
} from './types';

/**
 * The read position of a followed thread. `unread` counts the messages of others up to `last_seq` that were not deleted
 * at cursor `at`.
 */
export interface Thread {
  read_seq: number;
  last_seq: number;
  unread: number;
  at?: string;
}

export interface Model {
  me: User;
  users: ReadonlyMap<Id, User>;
  conversations: ReadonlyMap<Id, Conversation>;
  timelines: ReadonlyMap<Id, Timeline>;
  /** Replies of opened threads, by the key of the thread's first message. */
  replies: ReadonlyMap<MessageKey, Timeline>;
  /** Threads that this user follows. */
  threads: ReadonlyMap<MessageKey, Thread>;
  /** Messages known outside of timelines: quoted and pinned messages, and first messages of threads. */
  loose: ReadonlyMap<MessageKey, Message>;
  /** Pinned messages, newest first, for conversations whose pins were loaded. */
  pins: ReadonlyMap<Id, { user: Id; seq: number }[]>;
  /** Roles of members, for conversations whose members were loaded. */
  roles: ReadonlyMap<Id, ReadonlyMap<Id, Role>>;
  /** Read positions of others, for conversations whose receipts were loaded. */
  receipts: ReadonlyMap<Id, ReadonlyMap<Id, number>>;
  blocked: ReadonlySet<Id>;
  /** Messages that this user has saved for later and that are not done. */
  saved: ReadonlySet<MessageKey>;
  /** Open invitations of this user, by conversation. */
  invitations: ReadonlyMap<Id, Invitation>;
  /** As the server has it. `shownSidebar` adds the changes that are being saved. */
  sidebar: Sidebar;
  rearranging: readonly SidebarChange[];
}

export function emptyModel(me: User): Model {
  const [users, conversations] = [new Map([[me.id, me]]), new Map()];
  const [blocked, invitations] = [new Set<Id>(), new Map<Id, Invitation>()];
  const sidebar = { sidebar: defaultSidebar, rearranging: [] };
  return { me, users, conversations, threads: new Map(), blocked, saved: new Set(), invitations, ...sidebar, ...emptyPages() };
}

/**
 * Return empty pages. Pages are loaded on demand and are dropped by a snapshot: after a restore, a `seq` can mean
 * another message.
 */
function emptyPages(): Pick<Model, 'timelines' | 'replies' | 'loose' | 'pins' | 'roles' | 'receipts'> {
  const [timelines, replies, loose] = [new Map(), new Map(), new Map()];
  return { timelines, replies, loose, pins: new Map(), roles: new Map(), receipts: new Map() };
}

/** Replace the conversations and drop the pages loaded for them. */
export function takeSnapshot(model: Model, snapshot: Snapshot): Model {
  const conversations = new Map(snapshot.conversations.map((one) => [one.id, one]));
  const blocked = new Set(snapshot.blocked);
  const invitations = new Map(invitationsIn(snapshot).map((one) => [one.conversation, one]));
  const sidebar = sidebarIn(snapshot);
  const saved = new Set(savedIn(snapshot).map((one) => keyOf(one.conversation, one.seq)));
  return { ...model, conversations, blocked, saved, invitations, sidebar, threads: new Map(), ...emptyPages() };
}

/** Return the places of the snapshot's saved messages. Nodes of the previous version send none. */
function savedIn(snapshot: Partial<Snapshot>): Snapshot['saved'] {
  return snapshot.saved ?? [];
}

/** Return the snapshot's invitations. Nodes of the previous version send none. */
export function invitationsIn(snapshot: Partial<Snapshot>): Invitation[] {
  return snapshot.invitations ?? [];
}

/** Return the snapshot's sidebar. Nodes of the previous version send none. */
function sidebarIn(snapshot: Partial<Snapshot>): Sidebar {
  return snapshot.sidebar ?? defaultSidebar;
}

/** Take the sidebar that the server sent, unless a later one is known. */
export function takeSidebar(model: Model, sidebar: Sidebar): Model {
  return sidebar.version < model.sidebar.version ? model : { ...model, sidebar };
}

/** Return the sidebar with the changes that are being saved. */
export function shownSidebar({ sidebar, rearranging }: Pick<Model, 'sidebar' | 'rearranging'>): Sidebar {
  return rearranging.reduce((shown, change) => change(shown), sidebar);
}

/** Replace the followed threads. `at` is the cursor that their counts belong to. */
export function takeThreads(model: Model, threads: FollowedThread[], at: string): Model {
  const known = threads.map(({ message, read_seq, unread }): [MessageKey, Thread] => [
    keyOf(message.conversation, message.seq),
    { read_seq, last_seq: message.last_reply ?? message.seq, unread, at },
  ]);
  return takeLoose(
    { ...model, threads: new Map(known) },
    threads.map((thread) => thread.message),
  );
}

/** Add messages that were loaded one by one. */
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

/** Add receipts. Entries that arrived meanwhile can be further ahead. */
export function takeReceipts(model: Model, id: Id, receipts: Receipt[]): Model {
  const known = new Map(model.receipts.get(id));
  for (const { user, seq } of receipts) known.set(user, Math.max(seq, known.get(user) ?? 0));
  return { ...model, receipts: put(model.receipts, id, known) };
}

/** Settings that a description leaves out when they have their default. */
export const defaultSettings = { archived: false, slow: 0, read_only: false };

/** Add a conversation that the server has just returned: created, joined, or loaded again. */
export function takeConversation(model: Model, fresh: Conversation): Model {
  const known = model.conversations.get(fresh.id);
  if (known && known.last_seq > fresh.last_seq) return model;
  return setConversation(closeInvitation(model, fresh.id), { ...(known && withMark(known, false)), ...defaultSettings, ...fresh });
}

/** Remove an invitation that was accepted, declined or closed. */
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
 * Add the newest page of a conversation, or a page next to its timeline. A page that leaves a hole starts a new
 * timeline.
 */
export function takePage(model: Model, id: Id, page: Page): Model {
  const fresh = timelineOf(page, model.conversations.get(id)?.last_seq ?? 0);
  const old = model.timelines.get(id);
  return setTimeline(model, id, old ? join(old, fresh) : fresh);
}

/** Show a page from anywhere in the conversation, instead of the timeline loaded before. */
export function showPage(model: Model, id: Id, page: Page): Model {
  return setTimeline(model, id, timelineOf(page, model.conversations.get(id)?.last_seq ?? 0));
}

/** Add the newest page of a thread, or a page next to the known replies. */
export function takeReplies(model: Model, id: Id, root: number, page: Page): Model {
  const place = keyOf(id, root);
  const fresh = timelineOf(page, findMessage(model, id, root)?.last_reply ?? 0);
  const old = model.replies.get(place);
  return { ...model, replies: put(model.replies, place, old ? merge(old, fresh) : fresh) };
}

/** Drop the oldest messages of a long timeline. They can be loaded again. */
export function trimOldest(model: Model, id: Id, keep: number): Model {
  const timeline = model.timelines.get(id);
  if (!timeline || timeline.messages.length <= keep) return model;
  return setTimeline(model, id, { ...timeline, messages: timeline.messages.slice(-keep), hasBefore: true });
}

/** Drop the newest messages of a long timeline, which then ends before the newest message. */
export function trimNewest(model: Model, id: Id, keep: number): Model {
  const timeline = model.timelines.get(id);
  if (!timeline || timeline.messages.length <= keep) return model;
  return setTimeline(model, id, { ...timeline, messages: timeline.messages.slice(0, keep), hasAfter: true });
}

/** Move the read mark, from this device (before the server knows) or from another one. */
export function markRead(model: Model, id: Id, seq: number): Model {
  const conversation = model.conversations.get(id);
  if (!conversation || seq <= conversation.read_seq) return model;
  return setConversation(model, { ...withMark(conversation, false), ...readTo(conversation, seq) });
}

/** Move a thread's read mark on this device, before the server knows. */
export function markThread(model: Model, id: Id, root: number, seq: number): Model {
  const thread = model.threads.get(keyOf(id, root));
  if (!thread || seq <= thread.read_seq) return model;
  return setThread(model, keyOf(id, root), { ...thread, read_seq: seq, unread: 0 });
}

/** Return a message if the model has it anywhere. */
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

/** Return all copies of a message that the model has. They can be of different times. */
export function copiesOf(model: Model, id: Id, seq: number): Message[] {
  const last = model.conversations.get(id)?.last_message;
  const replies = [...model.replies].map(([place, one]) => (place.startsWith(`${id}/`) ? at(one, seq) : undefined));
  const single = [at(model.timelines.get(id), seq), model.loose.get(keyOf(id, seq)), last?.seq === seq ? last : undefined];
  return [...single, ...replies].filter((one) => one !== undefined);
}

/** Change a message everywhere the model has it: timeline, threads, last message, single messages. */
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

/**
 * Apply the answer to an edit, which can arrive before its entry. An answer older than the known edit changes
 * nothing.
 */
export function correct(model: Model, { conversation, seq, body, files, data, edited_at }: Message): Model {
  const later = (old: Message) => !old.deleted && (old.edited_at ?? '') < (edited_at ?? '');
  const content = { ...(files && { files }), ...(data && { data }) };
  const carried = ({ files: _files, data: _data, ...rest }: Message): Message => ({ ...rest, ...content });
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

/** Return the conversation as marked as unread or not. Like the server, leave the field out if it is not. */
export function withMark({ marked_unread: _, ...conversation }: Conversation, marked: boolean): Conversation {
  return { ...conversation, ...(marked && { marked_unread: true }) };
}

/** Add a message to the saved ones, or remove it. */
export function setSaved(model: Model, place: MessageKey, on: boolean): Model {
  if (model.saved.has(place) === on) return model;
  const saved = new Set(model.saved);
  saved[on ? 'add' : 'delete'](place);
  return { ...model, saved };
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
