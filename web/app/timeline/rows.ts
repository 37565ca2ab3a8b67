/** The rows of a timeline in order: days, the unread line, messages in groups, replies and unsent messages. Pure. */
import type { Id, Message, Outgoing } from '../../client';
import { dayOf } from '../time';

export type Row =
  | { kind: 'day'; key: string; at: string }
  | { kind: 'unread'; key: string }
  | { kind: 'message'; key: string; head: boolean; message: Message }
  /** Consecutive replies to one thread. */
  | { kind: 'replies'; key: string; root: number; messages: Message[] }
  | { kind: 'outgoing'; key: string; head: boolean; outgoing: Outgoing };

/** Milliseconds within which messages of one author form a group. */
const TOGETHER = 5 * 60_000;

/** Rows below a message in which its replies need no row of their own: its thread line shows them. */
const NEAR = 8;

/** An author that equals no user, so that the next message starts a group. */
const NO_AUTHOR = 0;

/** One row for each message: the same object tells Svelte that the row has not changed. */
const cached = new WeakMap<Message | Outgoing, Row>();

type Replies = Extract<Row, { kind: 'replies' }>;
/** The same for rows of replies, by their last reply. */
const cachedReplies = new WeakMap<Message, Replies>();

interface Said {
  author: Id;
  at: string;
}

/**
 * Return the rows for these messages. `unreadAfter` is the last seq above the unread line, or null for no line. With
 * `inThread` replies are rows of their own; in the conversation they are summarized, unless the first message of their
 * thread is near.
 */
export function rowsOf(
  messages: Message[],
  outgoing: Outgoing[],
  unreadAfter: number | null,
  me: Id,
  inThread = false,
): Row[] {
  const rows: Row[] = [];
  let last: Said | null = null;
  // true from the start if the place of the unread line is not loaded
  let lined = unreadAfter === null || (messages[0]?.seq ?? 0) > unreadAfter + 1;
  for (const message of messages) {
    const said = { author: message.author, at: message.created_at };
    if (startsDay(last, said))
      [last] = [null, rows.push({ kind: 'day', key: `day ${dayOf(said.at)}`, at: said.at })];
    if (!lined && message.seq > (unreadAfter ?? 0) && message.author !== me) {
      [lined, last] = [true, null];
      rows.push({ kind: 'unread', key: 'unread' });
    }
    if (message.thread && !inThread) {
      if (addReply(rows, message, message.thread)) last = { author: NO_AUTHOR, at: said.at };
      continue;
    }
    // the same key before and after the message was sent, so that its row stays the same
    const head = !together(last, said);
    rows.push(
      once(message, head, () => ({
        kind: 'message',
        key: `${message.author} ${message.client_id}`,
        head,
        message,
      })),
    );
    last = said;
  }
  for (const one of outgoing) {
    const said = { author: me, at: one.createdAt };
    if (startsDay(last, said))
      [last] = [null, rows.push({ kind: 'day', key: `day ${dayOf(said.at)}`, at: said.at })];
    const head = !together(last, said);
    rows.push(once(one, head, () => ({ kind: 'outgoing', key: `${me} ${one.clientId}`, head, outgoing: one })));
    last = said;
  }
  return rows;
}

/**
 * Add a reply to the last row if that row summarizes the same thread, else in a new row. Return false without a row if
 * the thread's first message is near, with no unread line in between.
 */
function addReply(rows: Row[], reply: Message, root: number): boolean {
  const last = rows.at(-1);
  const continues = last?.kind === 'replies' && last.root === root;
  if (!continues && isNear(rows, root)) return false;
  const messages = continues ? [...last.messages, reply] : [reply];
  if (continues) rows.pop();
  const known = cachedReplies.get(reply);
  const same = known?.messages.length === messages.length && known.messages[0] === messages[0];
  const row = same ? known : { kind: 'replies' as const, key: `replies ${messages[0]?.seq}`, root, messages };
  cachedReplies.set(reply, row);
  rows.push(row);
  return true;
}

function isNear(rows: Row[], root: number): boolean {
  for (let at = rows.length - 1; at >= Math.max(0, rows.length - NEAR); at -= 1) {
    const row = rows[at];
    if (row?.kind === 'unread') return false;
    if (row?.kind === 'message' && row.message.seq === root) return true;
  }
  return false;
}

function once(shown: Message | Outgoing, head: boolean, make: () => Row): Row {
  const known = cached.get(shown);
  if (known && 'head' in known && known.head === head) return known;
  const row = make();
  cached.set(shown, row);
  return row;
}

function startsDay(last: Said | null, said: Said): boolean {
  return !last || dayOf(last.at) !== dayOf(said.at);
}

function together(last: Said | null, said: Said): boolean {
  return last?.author === said.author && Date.parse(said.at) - Date.parse(last.at) < TOGETHER;
}
