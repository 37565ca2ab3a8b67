/**
 * What stands below what in a timeline: days, the unread line, messages in groups, and what is on its way.
 * Pure.
 */
import type { Id, Message, Outgoing } from '../../client';
import { dayOf } from '../time';

export type Row =
  | { kind: 'day'; key: string; at: string }
  | { kind: 'unread'; key: string }
  | { kind: 'message'; key: string; head: boolean; message: Message }
  /** What was replied in one thread meanwhile. */
  | { kind: 'replies'; key: string; root: number; messages: Message[] }
  | { kind: 'outgoing'; key: string; head: boolean; outgoing: Outgoing };

/** Milliseconds within which what one person says stands under one name. */
const TOGETHER = 5 * 60_000;

/** Whoever speaks next begins a group. */
const NOBODY = 0;

/** A row is made once for what it shows: the same object tells the page that nothing is to be drawn anew. */
const made = new WeakMap<Message | Outgoing, Row>();

type Replies = Extract<Row, { kind: 'replies' }>;
/** The same for replies, by the last of them. */
const told = new WeakMap<Message, Replies>();

interface Said {
  author: Id;
  at: string;
}

/**
 * `unreadAfter` is the last seq above the unread line, or null for none. Replies stand in their thread
 * (`inThread`); the conversation only tells that there were some.
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
  // where the line would stand is not loaded
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
      last = { author: NOBODY, at: said.at };
      addReply(rows, message, message.thread);
      continue;
    }
    // the same key while it is on its way and after it has come, so that its row stays the same
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

/** Replies to one thread that follow each other are told in one row. */
function addReply(rows: Row[], reply: Message, root: number): void {
  const last = rows.at(-1);
  const goesOn = last?.kind === 'replies' && last.root === root;
  const messages = goesOn ? [...last.messages, reply] : [reply];
  if (goesOn) rows.pop();
  const known = told.get(reply);
  const same = known?.messages.length === messages.length && known.messages[0] === messages[0];
  const row = same ? known : { kind: 'replies' as const, key: `replies ${messages[0]?.seq}`, root, messages };
  told.set(reply, row);
  rows.push(row);
}

function once(shown: Message | Outgoing, head: boolean, make: () => Row): Row {
  const known = made.get(shown);
  if (known && 'head' in known && known.head === head) return known;
  const row = make();
  made.set(shown, row);
  return row;
}

function startsDay(last: Said | null, said: Said): boolean {
  return !last || dayOf(last.at) !== dayOf(said.at);
}

function together(last: Said | null, said: Said): boolean {
  return last?.author === said.author && Date.parse(said.at) - Date.parse(last.at) < TOGETHER;
}
