/** Applies entries of the log to a user's model. Pure; applying an entry twice does no harm. */
import { compareCursors } from './cursor';
import type {
  Append,
  BlockChange,
  EditedMessage,
  Entry,
  Finish,
  InvitationChange,
  KeywordChange,
  PinChange,
  PreviewsChange,
  ReactionChange,
  ReadChange,
  ThreadChange,
  Tombstone,
} from './entry';
import { asDeleted, asUndone, keyOf, mentionsMe, withAppend, withFinish, withPin, withPreviews, withReaction, withReply } from './message';
import {
  defaultSettings,
  changeMessage,
  closeInvitation,
  type Model,
  put,
  readTo,
  setConversation,
  setSaved,
  setThread,
  setTimeline,
  takeSidebar,
  takeUsers,
  withMark,
} from './model';
import { append, appendReply, lastOf } from './timeline';
import type { Conversation, Id, Level, Message, Notifications, Role, User } from './types';

/** Return the model after an entry of the log. */
export function apply(model: Model, entry: Entry): Model {
  switch (entry.event) {
    case 'message':
      return takeMessage(model, entry.data);
    case 'edit':
      return takeEdit(model, entry.data);
    case 'append':
      return takeAppend(model, entry.data);
    case 'finish':
      return takeFinish(model, entry.data);
    case 'delete':
      return takeDeletion(model, entry.data, entry.id);
    case 'reaction':
      return react(model, entry.data);
    case 'pin':
      return pin(model, entry.data);
    case 'previews':
      return preview(model, entry.data);
    case 'thread':
      return follow(model, entry.data, entry.id);
    case 'read':
      return takeReadMark(model, entry.data);
    case 'saved':
      return setSaved(model, keyOf(entry.data.conversation, entry.data.seq), entry.data.state === 'open');
    case 'receipt':
      return takeReceipt(model, entry.data.conversation, entry.data.user, entry.data.seq);
    case 'notifications':
      return notify(model, entry.data.conversation, entry.data);
    case 'block':
      return block(model, entry.data);
    case 'invitation':
      return takeInvitation(model, entry.data);
    case 'settings':
      return withDefaults(takeUsers(model, [{ ...model.me, ...entry.data }]));
    case 'keyword':
      return takeKeyword(model, entry.data);
    case 'sidebar':
      return takeSidebar(model, entry.data);
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

/**
 * Return the id of a conversation that the entry is about, that the user belongs to, and that the model does not
 * have. Otherwise null.
 */
export function missing(model: Model, entry: Entry): Id | null {
  if (entry.event === 'message') return unknown(model, entry.data.conversation);
  // a conversation of this user was restored from the archive
  if (entry.event === 'conversation') return entry.data.archived ? null : unknown(model, entry.data.id);
  const joined = entry.event === 'member' && entry.data.user === model.me.id && entry.data.role !== null;
  return joined ? unknown(model, entry.data.conversation) : null;
}

/** Add a message by its `seq`. A repeated message changes nothing, or fills in what is missing. */
export function takeMessage(model: Model, message: Message): Model {
  const conversation = model.conversations.get(message.conversation);
  const fresh = conversation && message.seq > conversation.last_seq;
  const counted = fresh ? countMessage(model, conversation, message) : model;
  const timeline = counted.timelines.get(message.conversation);
  const shown = timeline ? setTimeline(counted, message.conversation, append(timeline, message)) : counted;
  const read = takeReceipt(shown, message.conversation, message.author, message.seq);
  return message.thread ? takeReply(read, message, message.thread) : read;
}

function countMessage(model: Model, conversation: Conversation, message: Message): Model {
  const seen = { ...conversation, last_seq: message.seq, last_message: message };
  if (message.author === model.me.id) return setConversation(model, { ...withMark(seen, false), ...readTo(seen, message.seq) });
  const mentions = (conversation.mentions ?? 0) + (mentionsMe(message, model) ? 1 : 0);
  return setConversation(model, { ...seen, unread: conversation.unread + 1, mentions });
}

/** Count a reply in its thread, and as unread for a user who follows the thread. */
function takeReply(model: Model, reply: Message, root: number): Model {
  const place = keyOf(reply.conversation, root);
  const counted = changeMessage(model, reply.conversation, root, (old) => withReply(old, reply));
  const known = counted.replies.get(place);
  const listed = known ? { ...counted, replies: put(counted.replies, place, appendReply(known, reply)) } : counted;
  const thread = listed.threads.get(place);
  const { seq } = reply;
  if (reply.author === model.me.id) {
    if (thread && seq <= thread.last_seq) return listed;
    return setThread(listed, place, { read_seq: seq, last_seq: seq, unread: 0 });
  }
  if (!thread || seq <= thread.last_seq) return listed;
  return setThread(listed, place, { ...thread, last_seq: seq, unread: thread.unread + 1 });
}

/** Change a message. A user whom it does not mention any more has one unread mention less. */
function takeEdit(model: Model, { former_mentions: former, ...edited }: EditedMessage): Model {
  const changed = changeMessage(model, edited.conversation, edited.seq, () => edited);
  const reached = former && mentionsMe({ ...former, author: edited.author }, model) && !mentionsMe(edited, model);
  return reached ? uncount(changed, edited, 0) : changed;
}

function takeAppend(model: Model, append: Append): Model {
  return changeMessage(model, append.conversation, append.seq, (old) => withAppend(old, append));
}

/** End a streamed message. Only then it is known whom its text mentions. */
function takeFinish(model: Model, finish: Finish): Model {
  const ended = changeMessage(model, finish.conversation, finish.seq, (old) => withFinish(old, finish));
  const conversation = ended.conversations.get(finish.conversation);
  if (!conversation || finish.seq <= conversation.read_seq || !mentionsMe(finish, ended)) return ended;
  return setConversation(ended, { ...conversation, mentions: (conversation.mentions ?? 0) + 1 });
}

/** Empty a deleted message. It stays in the timeline, but is no longer unread or pinned. `at` is the entry's cursor. */
function takeDeletion(model: Model, gone: Tombstone, at: string): Model {
  const { conversation: id, seq } = gone;
  const pins = model.pins.get(id)?.filter((one) => one.seq !== seq);
  const unpinned = pins ? { ...model, pins: put(model.pins, id, pins) } : model;
  const emptied = uncountReply(changeMessage(unpinned, id, seq, gone.undone ? asUndone : asDeleted), gone, at);
  const own = gone.author === model.me.id;
  return uncount(setSaved(emptied, keyOf(id, seq), false), gone, own ? 0 : 1, mentionsMe(gone, model) ? 1 : 0);
}

/** Reduce the unread counts, unless the message is read. */
function uncount(model: Model, gone: Pick<Tombstone, 'conversation' | 'seq'>, messages: number, reached = 1): Model {
  const conversation = model.conversations.get(gone.conversation);
  if (!conversation || gone.seq <= conversation.read_seq) return model;
  const mentions = Math.max(0, (conversation.mentions ?? 0) - reached);
  return setConversation(model, { ...conversation, unread: Math.max(0, conversation.unread - messages), mentions });
}

/** Count a deleted reply of another user as read in its thread, unless the thread's count is of a later time. */
function uncountReply(model: Model, { conversation, seq, thread: root, author }: Tombstone, at: string): Model {
  const thread = root && model.threads.get(keyOf(conversation, root));
  if (!root || !thread || author === model.me.id || seq <= thread.read_seq || seq > thread.last_seq) return model;
  if (thread.at && compareCursors(thread.at, at) === 'old') return model;
  return setThread(model, keyOf(conversation, root), { ...thread, unread: Math.max(0, thread.unread - 1) });
}

export function react(model: Model, data: ReactionChange): Model {
  return changeMessage(model, data.conversation, data.seq, (old) => withReaction(old, data));
}

export function pin(model: Model, { conversation, seq, user, on }: PinChange): Model {
  const marked = changeMessage(model, conversation, seq, (old) => withPin(old, on));
  const pins = marked.pins.get(conversation);
  if (!pins) return marked;
  const others = pins.filter((one) => one.seq !== seq);
  return { ...marked, pins: put(marked.pins, conversation, on ? [{ user, seq }, ...others] : others) };
}

export function preview(model: Model, data: PreviewsChange): Model {
  return changeMessage(model, data.conversation, data.seq, (old) => withPreviews(old, data));
}

function follow(model: Model, data: ThreadChange, at: string): Model {
  const place = keyOf(data.conversation, data.seq);
  if (data.following) {
    const { read_seq = data.seq, last_seq = data.seq, unread = 0 } = data;
    return setThread(model, place, { read_seq, last_seq, unread, at });
  }
  const threads = new Map(model.threads);
  threads.delete(place);
  return { ...model, threads };
}

function takeReceipt(model: Model, id: Id, user: Id, seq: number): Model {
  const known = model.receipts.get(id);
  if (!known || user === model.me.id || seq <= (known.get(user) ?? 0)) return model;
  return { ...model, receipts: put(model.receipts, id, new Map(known).set(user, seq)) };
}

export function notify(model: Model, id: Id, { level, muted_until, own_level }: Notifications): Model {
  const conversation = model.conversations.get(id);
  if (!conversation) return model;
  const { own_level: _, ...rest } = conversation;
  return setConversation(model, { ...rest, level, muted_until, ...(own_level && { own_level }) });
}

/** Return the level of a conversation for which the user has chosen none. The default `mentions` is for channels. */
export function defaultLevel({ notify: mine, team_notify: team }: User, kind: Conversation['kind']): Level {
  const level = mine ?? team ?? 'all';
  return level === 'mentions' && kind !== 'channel' ? 'all' : level;
}

/** Apply the user's default to the conversations without a level of their own. */
function withDefaults(model: Model): Model {
  const conversations = new Map(model.conversations);
  for (const [id, one] of conversations)
    if (!one.own_level) conversations.set(id, { ...one, level: defaultLevel(model.me, one.kind) });
  return { ...model, conversations };
}

/** Take the number of unread mentions, for which a message with one of the user's keywords counts. */
function takeKeyword(model: Model, { conversation: id, mentions }: KeywordChange): Model {
  const conversation = model.conversations.get(id);
  return conversation?.unread ? setConversation(model, { ...conversation, mentions }) : model;
}

export function block(model: Model, { user, on, mentions }: BlockChange): Model {
  const blocked = new Set(model.blocked);
  blocked[on ? 'add' : 'delete'](user);
  const conversations = new Map(model.conversations);
  for (const change of mentions) {
    const conversation = conversations.get(change.conversation);
    if (conversation) conversations.set(conversation.id, { ...conversation, mentions: change.mentions });
  }
  const invitations = new Map([...model.invitations].filter(([, one]) => !blocked.has(one.invited_by)));
  return { ...model, blocked, conversations, invitations };
}

/** Add or close an invitation. The entry of a closed invitation has no other fields. */
function takeInvitation(model: Model, { open, ...rest }: InvitationChange): Model {
  const { conversation, kind, name, invited_by, members, at } = rest;
  if (!open || !kind || !invited_by || !at) return closeInvitation(model, conversation);
  const invitation = { conversation, kind, name: name ?? '', invited_by, members: members ?? 1, at };
  return { ...model, invitations: put(model.invitations, conversation, invitation) };
}

/** Change a conversation's settings. The entry leaves out slow mode and read-only when they are off. */
function changeConversation(model: Model, change: Pick<Conversation, 'id'> & Partial<Conversation>): Model {
  const known = model.conversations.get(change.id);
  if (!known) return model;
  if (change.archived) return forget(model, change.id);
  return markHole(setConversation(model, { ...known, ...defaultSettings, ...change }), change.id, change.last_seq ?? 0);
}

/** Mark a hole before message `last`: imported messages exist that no entry has announced. */
function markHole(model: Model, id: Id, last: number): Model {
  const timeline = model.timelines.get(id);
  if (!timeline || timeline.hasAfter || last <= (lastOf(timeline) ?? 0)) return model;
  return setTimeline(model, id, { ...timeline, hasAfter: true });
}

function takeMember(model: Model, id: Id, user: Id, role: Role | null): Model {
  const conversation = model.conversations.get(id);
  if (!conversation) return model;
  if (user === model.me.id && !role) return forget(model, id);
  const mine = user === model.me.id ? setConversation(model, { ...conversation, role }) : model;
  return withMember(withRole(mine, id, user, role), id, user, role);
}

/** Add a user to the list of members, or remove them. */
function withMember(model: Model, id: Id, user: Id, role: Role | null): Model {
  const conversation = model.conversations.get(id);
  const known = role === null ? withoutReader(model, id, user) : model;
  if (!conversation?.members || conversation.members.includes(user) === Boolean(role)) return known;
  const others = conversation.members.filter((member) => member !== user);
  return setConversation(known, { ...conversation, members: role ? [...others, user] : others });
}

function withRole(model: Model, id: Id, user: Id, role: Role | null): Model {
  const known = model.roles.get(id);
  if (!known || (known.get(user) ?? null) === role) return model;
  const roles = new Map(known);
  if (role) roles.set(user, role);
  else roles.delete(user);
  return { ...model, roles: put(model.roles, id, roles) };
}

/** Remove the receipt of a user who left. */
function withoutReader(model: Model, id: Id, user: Id): Model {
  const known = model.receipts.get(id);
  if (!known?.has(user)) return model;
  const others = new Map([...known].filter(([reader]) => reader !== user));
  return { ...model, receipts: put(model.receipts, id, others) };
}

/** Move the read mark with the counts of the server. It moves back only when the user has asked for that. */
function takeReadMark(model: Model, { conversation: id, seq, unread, mentions, marked_unread = false }: ReadChange): Model {
  const conversation = model.conversations.get(id);
  if (!conversation || (seq < conversation.read_seq && !marked_unread)) return model;
  return setConversation(model, { ...withMark(conversation, marked_unread), read_seq: seq, unread, mentions });
}

function forget(model: Model, id: Id): Model {
  const [conversations, timelines, threads] = [
    new Map(model.conversations),
    new Map(model.timelines),
    new Map(model.threads),
  ];
  conversations.delete(id);
  timelines.delete(id);
  for (const place of threads.keys()) if (place.startsWith(`${id}/`)) threads.delete(place);
  const saved = new Set([...model.saved].filter((place) => !place.startsWith(`${id}/`)));
  return { ...model, conversations, timelines, threads, saved };
}

const unknown = (model: Model, id: Id): Id | null => (model.conversations.has(id) ? null : id);
