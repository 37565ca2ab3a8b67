/** The source of a store's entries: its own stream, or one that all tabs of a browser share. */
import type { Entry } from './entry';
import type { Problem } from './problem';
import type { Timings } from './timings';
import type { Id } from './types';

export type StreamState =
  | { name: 'live' | 'refused' | 'stopped' }
  /** `draining`: the server announced that it is shutting down. Other nodes are available. */
  | { name: 'connecting'; draining?: boolean }
  /** Missed entries are being replayed: `done` of `of` positions of the log. */
  | { name: 'behind'; done: number; of: number }
  /** `buffered`: no stream gets through at all. `stalled`: a stream started, then brought nothing more. */
  | { name: 'polling'; why: 'buffered' | 'stalled' }
  | { name: 'offline'; problem: Problem; retryAt: number };

export interface EntrySourceOptions {
  /** Address of `/api/chat/stream`. */
  url: string;
  /** Return the headers of the next request, which name the user. */
  headers?(): Record<string, string>;
  /** The expected user. If another user logs in in this browser, the stream ends. */
  me?: Id;
  /** Load the snapshot and return its cursor. */
  loadSnapshot(reason: string): Promise<string>;
  onEntry(entry: Entry): void;
  onState?(state: StreamState): void;
  timings?: Partial<Timings>;
  random?(): number;
}

export interface EntrySource {
  /** The position reached in the log. */
  readonly cursor: string | null;
  start(): void;
  stop(): void;
  /** Try again at once, for example when the network is back or the user returns. */
  wake(): void;
  /** Close the open connection, because the network is known to be down. The source reconnects. */
  dropConnection(): void;
  /** Report that the log has entries which this connection has not delivered: something on the way holds it back. */
  reportStall(): void;
  /** Load the snapshot again and continue from its cursor. */
  resync(): void;
}
