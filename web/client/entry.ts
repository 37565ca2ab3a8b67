/** Entries of the log as the stream and the long-poll carry them, told apart by name. Pure. */
import type { Id, StreamEvents } from './schema';

export type {
  BlockChange,
  InvitationChange,
  PinChange,
  ReactionChange,
  ReadChange,
  ReportChange,
  ThreadChange,
  Tombstone,
} from './schema';

type Kind = Exclude<keyof StreamEvents, Notice['event']>;

/** By its event: `{ event, id, data }`. */
export type Entry = { [Event in Kind]: { event: Event; id: string; data: StreamEvents[Event] } }[Kind];

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
