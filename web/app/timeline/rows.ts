/** The rows of a timeline in order: days, the unread line, messages in groups, replies and unsent messages. Pure. */
import { type Id, isUndone, type Message, type Outgoing } from '../../client';
import { dayOf } from '../time';
import type { Happening } from './happenings';

export type Row =
  | { kind: 'day'; key: string; at: string }
  | { kind: 'unread'; key: string }
  | { kind: 'happening'; key: string; happening: Happening }
  | { kind: 'message'; key: string; head: boolean; message: Message }
  /** Consecutive replies to one thread. */
  | { kind: 'replies'; key: string; root: number; messages: Message[] }
  | { kind: 'outgoing'; key: string; head: boolean; outgoing: Outgoing };

/** Milliseconds within which messages of one author form a group. */
const TOGETHER = 5 * 60_000;

/** An author that equals no user, so that the next message starts a group. */
const NO_AUTHOR = 0;

/** A reply needs no row of its own if its thread is on the screen, which is so many rows at least. */
const NEAR = 8;

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
 * `inThread` replies are rows of their own; in the conversation they are summarized, unless they were read and the line
 * of their thread is just above.
 */
export function rowsOf(
  messages: Message[],
  outgoing: Outgoing[],
  unreadAfter: number | null,
  me: Id,
  inThread = false,
  happenings: readonly Happening[] = [],
): Row[] {
  const rows: Row[] = [];
  let last: Said | null = null;
  // true from the start if the place of the unread line is not loaded
  let lined = unreadAfter === null || (messages[0]?.seq ?? 0) > unreadAfter + 1;
  const roots = new Map<number, number>();
  const earliest = (messages[0]?.seq ?? 1) - 1;
  const happened = happenings.filter(({ after }) => after >= earliest);
  const tell = (seq: number, said: Said | null) => {
    const before = rows.length;
    while (happened[0] && happened[0].after < seq) rows.push(rowOf(happened.shift() as Happening));
    return said && rows.length > before ? { author: NO_AUTHOR, at: said.at } : said;
  };
  for (const message of messages) {
    if (isUndone(message)) continue;
    last = tell(message.seq, last);
    const isNews = unreadAfter !== null && message.seq > unreadAfter && message.author !== me;
    if (message.thread && !inThread && !isNews && rows.length - (roots.get(message.thread) ?? -NEAR) < NEAR) continue;
    const said = { author: message.author, at: message.created_at };
    if (startsDay(last, said))
      [last] = [null, rows.push({ kind: 'day', key: `day ${dayOf(said.at)}`, at: said.at })];
    if (!lined && message.seq > (unreadAfter ?? 0) && message.author !== me) {
      [lined, last] = [true, null];
      rows.push({ kind: 'unread', key: 'unread' });
    }
    if (message.thread && !inThread) {
      last = { author: NO_AUTHOR, at: said.at };
      addReply(rows, message, message.thread);
      continue;
    }
    // the same key before and after the message was sent, so that its row stays the same
    const head = !together(last, said);
    roots.set(message.seq, rows.length);
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
  last = tell(Infinity, last);
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

const rowOf = (happening: Happening): Row => ({ kind: 'happening', key: `happening ${happening.key}`, happening });

/** Add a reply to the last row if that row summarizes the same thread, else in a new row. */
function addReply(rows: Row[], reply: Message, root: number): void {
  const last = rows.at(-1);
  const continues = last?.kind === 'replies' && last.root === root;
  const messages = continues ? [...last.messages, reply] : [reply];
  if (continues) rows.pop();
  const known = cachedReplies.get(reply);
  const same = known?.messages.length === messages.length && known.messages[0] === messages[0];
  const row = same ? known : { kind: 'replies' as const, key: `replies ${messages[0]?.seq}`, root, messages };
  cachedReplies.set(reply, row);
  rows.push(row);
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
