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

type Kind = Exclude<keyof StreamEvents, ControlEvent['event']>;

/** By its event: `{ event, id, data }`. */
export type Entry = { [Event in Kind]: { event: Event; id: string; data: StreamEvents[Event] } }[Kind];

/** What the stream says about itself; none of it is an entry. */
export type ControlEvent =
  /** Where it starts, where the log ends, and whose it is. */
  | { event: 'ready'; cursor: string | null; head: string | null; user?: Id }
  | { event: 'beat'; cursor: string | null }
  | { event: 'reset'; reason: string }
  | { event: 'bye'; reason: string };

export type StreamEvent = Entry | ControlEvent;

export interface RawEvent {
  id?: string | null;
  event?: string | null;
  /** JSON text (stream) or what it stands for (long-poll). */
  data: unknown;
}

/** An entry, a notice, or null for what says nothing (a bare id or retry). */
export function decodeEvent(raw: RawEvent): StreamEvent | null {
  const event = raw.event || 'message';
  const id = raw.id ?? null;
  const data = typeof raw.data === 'string' ? parse(raw.data) : raw.data;
  const fields = (data ?? {}) as Record<string, unknown>;
  const cursor = id ?? text(fields['cursor']);
  if (event === 'beat') return { event, cursor };
  if (event === 'ready') return { event, cursor, head: text(fields['head']), ...userOf(fields['user']) };
  if (event === 'reset' || event === 'bye') return { event, reason: text(fields['reason']) ?? 'unknown' };
  if (id === null || data === null || typeof data !== 'object') return null;
  // an edit may carry its message bare or as {message}
  return { event, id, data: event === 'edit' ? (fields['message'] ?? data) : data } as Entry;
}

export function isControlEvent(event: StreamEvent): event is ControlEvent {
  return ['ready', 'beat', 'reset', 'bye'].includes(event.event);
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
