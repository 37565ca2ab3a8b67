/** Where a store's entries come from: a stream of its own, or one that all tabs of a browser share. */
import type { Entry } from './entry';
import type { Problem } from './problem';
import type { Timings } from './timings';
import type { Id } from './types';

export type StreamState =
  | { name: 'live' | 'refused' | 'stopped' }
  /** `draining`: the server said that it goes, and that others are there. */
  | { name: 'connecting'; draining?: boolean }
  /** What was missed is being replayed: `done` of `of` positions of the log. */
  | { name: 'behind'; done: number; of: number }
  /** `buffered`: no stream comes through at all; `stalled`: one did, and brought no more. */
  | { name: 'polling'; why: 'buffered' | 'stalled' }
  | { name: 'offline'; problem: Problem; retryAt: number };

export interface EntrySourceOptions {
  /** Address of `/api/chat/stream`. */
  url: string;
  headers?: Record<string, string>;
  /** Whose entries these must be: another login in this browser ends the stream. */
  me?: Id;
  /** Reads the snapshot again and returns its cursor. */
  loadSnapshot(reason: string): Promise<string>;
  /** Takes an entry. */
  onEntry(entry: Entry): void;
  onState?(state: StreamState): void;
  timings?: Partial<Timings>;
  random?(): number;
}

export interface EntrySource {
  /** How far this client has come. */
  readonly cursor: string | null;
  start(): void;
  stop(): void;
  /** Tries at once: the network is back, the person returned. */
  wake(): void;
  /** The network is known to be gone: no longer believe in the open connection. */
  dropConnection(): void;
  /** A witness knows of entries that this connection has not brought: it is held back on the way. */
  reportStall(): void;
  /** Reads the snapshot again and goes on from there. */
  resync(): void;
}
