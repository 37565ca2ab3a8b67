/**
 * Receives the events of one connection after the other. It passes on each entry once and in order, keeps the
 * cursor, and reports how far a replay is.
 */
import { parseCursor, Position } from './cursor';
import { type ControlEvent, type Entry, isControlEvent } from './entry';
import type { EntrySourceOptions, StreamState } from './entry-source';
import { Problem } from './problem';
import type { ConnectionEnd, StreamHandler } from './stream-connection';
import type { Timings } from './timings';

export interface StreamReceiverOptions extends Pick<EntrySourceOptions, 'onEntry' | 'me'> {
  timings: Timings;
  getState(): StreamState;
  setState(state: StreamState): void;
  /** The cursor moved without an entry: no entry up to there is for this user. */
  onAdvance(): void;
  /** Called when a connection works from end to end. */
  onReady(): void;
  onBeat(): void;
}

const otherLog: ConnectionEnd = { kind: 'reset', reason: 'other_epoch' };
const otherUser = new Problem({ status: 401, code: 'other_user', detail: 'Another user is logged in in this browser.' });

export class StreamReceiver {
  lastReceivedAt = 0;
  /** Milliseconds, as the server last asked for. */
  retryDelay: number;
  private position: Position;
  private replay = { from: 0, to: 0, reported: 0 };
  private quietTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly options: StreamReceiverOptions,
    cursor: string | null,
  ) {
    this.retryDelay = options.timings.backoff.first;
    this.position = new Position(cursor);
  }

  /** The position reached in the log. */
  get cursor(): string | null {
    return this.position.cursor;
  }

  /** Start over at a snapshot's cursor. */
  resetTo(cursor: string): void {
    this.position = new Position(cursor);
  }

  /** Stop the timer: the last connection brings nothing more. */
  endConnection(): void {
    clearTimeout(this.quietTimer);
  }

  handler(onReady?: () => void): StreamHandler {
    return {
      onRetry: (milliseconds) => void (this.retryDelay = milliseconds),
      onResumed: (cursor) => this.position.adoptEpoch(cursor),
      onEvent: (event) => {
        this.lastReceivedAt = Date.now();
        return isControlEvent(event) ? this.takeControlEvent(event, onReady) : this.takeEntry(event);
      },
    };
  }

  /** Move to a cursor without an entry. Return an end if it belongs to another log. */
  advance(cursor: string): ConnectionEnd | undefined {
    const passed = this.position.advance(cursor);
    if (passed) this.options.onAdvance();
    return passed === null ? otherLog : undefined;
  }

  private takeEntry(entry: Entry): ConnectionEnd | undefined {
    const ahead = this.position.advance(entry.id);
    if (ahead === null) return otherLog;
    if (ahead) this.options.onEntry(entry);
    if (this.options.getState().name === 'behind') this.reportProgress();
    return undefined;
  }

  private takeControlEvent(event: ControlEvent, onReady?: () => void): ConnectionEnd | undefined {
    if (event.event === 'reset' || event.event === 'bye') return { kind: event.event, reason: event.reason };
    if (event.event === 'ready' && event.resumed) this.position.adoptEpoch(event.cursor);
    const end = event.cursor === null ? undefined : this.advance(event.cursor);
    if (end) return end;
    if (event.event === 'beat') {
      this.options.onBeat();
      this.markCaughtUp();
      return undefined;
    }
    const { me } = this.options;
    if (me !== undefined && event.user !== undefined && event.user !== me) return { kind: 'failed', problem: otherUser };
    this.options.onReady();
    onReady?.();
    this.beginReplay(event.head);
    return undefined;
  }

  /** Start a replay; `head` is the end of the log at that moment. */
  private beginReplay(head: string | null): void {
    const from = positionOf(this.cursor);
    this.replay = { from, to: Math.max(from, positionOf(head)), reported: 0 };
    this.options.setState({ name: 'behind', done: 0, of: this.replay.to - from });
    this.restartQuietTimer();
  }

  private reportProgress(): void {
    const { from, to, reported } = this.replay;
    const done = Math.min(positionOf(this.cursor) - from, to - from);
    // report every hundredth, which is fine enough for a progress bar
    if (done - reported > (to - from) / 100) {
      this.replay.reported = done;
      this.options.setState({ name: 'behind', done, of: to - from });
    }
    this.restartQuietTimer();
  }

  private restartQuietTimer(): void {
    clearTimeout(this.quietTimer);
    this.quietTimer = setTimeout(() => this.markCaughtUp(), this.options.timings.quiet);
  }

  private markCaughtUp(): void {
    clearTimeout(this.quietTimer);
    if (this.options.getState().name === 'behind') this.options.setState({ name: 'live' });
  }
}

const positionOf = (cursor: string | null): number => parseCursor(cursor)?.position ?? 0;
