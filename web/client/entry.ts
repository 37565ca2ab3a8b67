/** Entries of the log, as the stream and the long-poll carry them, typed by event name. Pure. */
import type { Id, StreamEvents } from './schema';

export type {
  BlockChange,
  EditedMessage,
  InvitationChange,
  KeywordChange,
  PinChange,
  PreviewsChange,
  ReactionChange,
  ReadChange,
  ReportChange,
  ThreadChange,
  Tombstone,
} from './schema';

/** Text that a streamed message grew by, at an offset in code points; its end; a request to its author to stop. */
export type Append = StreamEvents['append'];
export type Finish = StreamEvents['finish'];
export type Stop = StreamEvents['stop'];

type Kind = Exclude<keyof StreamEvents, ControlEvent['event'] | 'problem'>;

/** An entry of the log: `{ event, id, data }`, with `data` typed by `event`. */
export type Entry = { [Event in Kind]: { event: Event; id: string; data: StreamEvents[Event] } }[Kind];

/** Events about the stream itself. None of them is an entry. */
export type ControlEvent =
  /** The stream's start, the end of the log, and the stream's user. `resumed`: the cursor sent was valid. */
  | { event: 'ready'; cursor: string | null; head: string | null; user?: Id; resumed?: true }
  | { event: 'beat'; cursor: string | null }
  | { event: 'reset'; reason: string }
  | { event: 'bye'; reason: string };

export type StreamEvent = Entry | ControlEvent;

export interface RawEvent {
  id?: string | null;
  event?: string | null;
  /** JSON text (stream) or the parsed value (long-poll). */
  data: unknown;
}

/** Decode an entry or a control event. Return null for an event without content (only an id or a retry). */
export function decodeEvent(raw: RawEvent): StreamEvent | null {
  const event = raw.event || 'message';
  const id = raw.id ?? null;
  const data = typeof raw.data === 'string' ? parse(raw.data) : raw.data;
  const fields = (data ?? {}) as Record<string, unknown>;
  const cursor = id ?? text(fields['cursor']);
  if (event === 'beat') return { event, cursor };
  if (event === 'ready') {
    const resumed = fields['resumed'] === true && { resumed: true as const };
    return { event, cursor, head: text(fields['head']), ...userOf(fields['user']), ...resumed };
  }
  if (event === 'reset' || event === 'bye') return { event, reason: text(fields['reason']) ?? 'unknown' };
  if (id === null || data === null || typeof data !== 'object') return null;
  // an edit carries its message either directly or as {message}
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
