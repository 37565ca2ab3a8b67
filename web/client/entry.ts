/** Entries of the log as the stream and the long-poll carry them, told apart by name. Pure. */
import type { Announcement, Conversation, Id, Message, Notifications, Role, User } from './types';

/** `count`: how many they are now, where not all are told; `shown`: who is told of in place of one who left. */
export interface ReactionChange {
  conversation: Id;
  seq: number;
  emoji: string;
  user: Id;
  on: boolean;
  count?: number;
  shown?: Id;
}

/** What was deleted, and, where it had reached somebody, whose it was and whom. */
export type Tombstone = { conversation: Id; seq: number; author?: Id } & Pick<
  Message,
  'mentions' | 'mentions_all'
>;

export interface PinChange {
  conversation: Id;
  seq: number;
  user: Id;
  on: boolean;
}

/** How a person stands to a thread: what is counted up to `last_seq`, and how much of it is unread. */
export interface ThreadChange {
  conversation: Id;
  seq: number;
  following: boolean;
  read_seq?: number;
  last_seq?: number;
  unread?: number;
}

/** Whom one has nothing to do with, and how many mentions count now where that changes it. */
export interface BlockChange {
  user: Id;
  on: boolean;
  mentions?: { conversation: Id; mentions: number }[];
}

/** A read mark, with what is left beyond it: not every device holds the messages. */
export interface ReadChange {
  conversation: Id;
  seq: number;
  unread?: number;
  mentions?: number;
}

/** For those who may judge it. */
export interface ReportChange {
  /** The report's. */
  id: Id;
  conversation: Id;
  seq: number;
  state: 'open' | 'dismissed' | 'acted';
}

export type Entry =
  | { event: 'message'; id: string; data: Message }
  | { event: 'edit'; id: string; data: Message }
  | { event: 'delete'; id: string; data: Tombstone }
  | { event: 'read'; id: string; data: ReadChange }
  | { event: 'receipt'; id: string; data: { conversation: Id; user: Id; seq: number } }
  | { event: 'reaction'; id: string; data: ReactionChange }
  | { event: 'pin'; id: string; data: PinChange }
  | { event: 'thread'; id: string; data: ThreadChange }
  | { event: 'notifications'; id: string; data: { conversation: Id } & Notifications }
  | { event: 'block'; id: string; data: BlockChange }
  | { event: 'settings'; id: string; data: Pick<User, 'receipts'> }
  | { event: 'announcement'; id: string; data: { announcement: Announcement | null } }
  | {
      event: 'conversation';
      id: string;
      data: Pick<Conversation, 'id'> & Partial<Conversation>;
    }
  | { event: 'member'; id: string; data: { conversation: Id; user: Id; role: Role | null } }
  | { event: 'user'; id: string; data: User }
  | { event: 'report'; id: string; data: ReportChange };

/** What the stream says about itself; none of it is an entry. */
export type Notice =
  /** Where it starts, where the log ends, and whose it is. */
  | { event: 'ready'; cursor: string | null; head: string | null; user?: Id }
  | { event: 'beat'; cursor: string | null }
  | { event: 'reset'; reason: string }
  | { event: 'bye'; reason: string };

export interface Received {
  id?: string | null;
  event?: string | null;
  /** JSON text (stream) or what it stands for (long-poll). */
  data: unknown;
}

/** An entry, a notice, or null for what says nothing (a bare id or retry). */
export function decode(received: Received): Entry | Notice | null {
  const event = received.event || 'message';
  const id = received.id ?? null;
  const data = typeof received.data === 'string' ? parse(received.data) : received.data;
  const fields = (data ?? {}) as Record<string, unknown>;
  const cursor = id ?? text(fields['cursor']);
  if (event === 'beat') return { event, cursor };
  if (event === 'ready') return { event, cursor, head: text(fields['head']), ...userOf(fields['user']) };
  if (event === 'reset' || event === 'bye') return { event, reason: text(fields['reason']) ?? 'unknown' };
  if (id === null || data === null || typeof data !== 'object') return null;
  // an edit may carry its message bare or as {message}
  return { event, id, data: event === 'edit' ? (fields['message'] ?? data) : data } as Entry;
}

export function isNotice(told: Entry | Notice): told is Notice {
  return ['ready', 'beat', 'reset', 'bye'].includes(told.event);
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

function userOf(value: unknown): { user?: Id } {
  return typeof value === 'number' ? { user: value } : {};
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
