/**
 * What one connection after the other brings: entries, each once and in order, the cursor that they move, and
 * how far a replay has come.
 */
import { parseCursor, Place } from './cursor';
import { type Entry, isNotice, type Notice } from './entry';
import type { FeedOptions, StreamState } from './entry-source';
import { Problem } from './problem';
import type { End, Listener } from './stream-connection';
import type { Timings } from './timings';

export interface HearingOptions extends Pick<FeedOptions, 'entry' | 'me'> {
  timings: Timings;
  state(): StreamState;
  say(state: StreamState): void;
  /** The cursor went on without an entry: nothing up to there is addressed to this person. */
  moved(): void;
  /** A connection is whole from end to end. */
  ready(): void;
  beat(): void;
}

const foreign: End = { kind: 'reset', reason: 'other_epoch' };
const stranger = new Problem({ status: 401, code: 'somebody_else', detail: 'Somebody else is logged in by now.' });

export class Hearing {
  heardAt = 0;
  /** Milliseconds, as the server asked last. */
  retry: number;
  private place: Place;
  private replay = { from: 0, to: 0, said: 0 };
  private quiet: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly options: HearingOptions,
    cursor: string | null,
  ) {
    this.retry = options.timings.backoff.first;
    this.place = new Place(cursor);
  }

  /** How far this client has come. */
  get cursor(): string | null {
    return this.place.cursor;
  }

  /** A snapshot stands there. */
  restart(cursor: string): void {
    this.place = new Place(cursor);
  }

  /** Nothing more comes from the last connection. */
  rest(): void {
    clearTimeout(this.quiet);
  }

  listener(onReady?: () => void): Listener {
    return {
      retry: (milliseconds) => void (this.retry = milliseconds),
      hear: (told) => {
        this.heardAt = Date.now();
        return isNotice(told) ? this.notice(told, onReady) : this.entry(told);
      },
    };
  }

  /** Goes on to a cursor at which nothing stands; an end when it is of another log. */
  pass(cursor: string): End | undefined {
    const passed = this.place.pass(cursor);
    if (passed) this.options.moved();
    return passed === null ? foreign : undefined;
  }

  private entry(entry: Entry): End | undefined {
    const ahead = this.place.pass(entry.id);
    if (ahead === null) return foreign;
    if (ahead) this.options.entry(entry);
    if (this.options.state().name === 'behind') this.goOn();
    return undefined;
  }

  private notice(notice: Notice, onReady?: () => void): End | undefined {
    if (notice.event === 'reset' || notice.event === 'bye') return { kind: notice.event, reason: notice.reason };
    const end = notice.cursor === null ? undefined : this.pass(notice.cursor);
    if (end) return end;
    if (notice.event === 'beat') {
      this.options.beat();
      this.caughtUp();
      return undefined;
    }
    const { me } = this.options;
    if (me !== undefined && notice.user !== undefined && notice.user !== me) return { kind: 'failed', problem: stranger };
    this.options.ready();
    onReady?.();
    this.begin(notice.head);
    return undefined;
  }

  /** A replay begins; `head`: where the log ended when it did. */
  private begin(head: string | null): void {
    const from = positionOf(this.cursor);
    this.replay = { from, to: Math.max(from, positionOf(head)), said: 0 };
    this.options.say({ name: 'behind', done: 0, of: this.replay.to - from });
    this.awaitQuiet();
  }

  private goOn(): void {
    const { from, to, said } = this.replay;
    const done = Math.min(positionOf(this.cursor) - from, to - from);
    // a hundredth at a time: nobody needs to see more
    if (done - said > (to - from) / 100) {
      this.replay.said = done;
      this.options.say({ name: 'behind', done, of: to - from });
    }
    this.awaitQuiet();
  }

  private awaitQuiet(): void {
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.caughtUp(), this.options.timings.quiet);
  }

  private caughtUp(): void {
    clearTimeout(this.quiet);
    if (this.options.state().name === 'behind') this.options.say({ name: 'live' });
  }
}

const positionOf = (cursor: string | null): number => parseCursor(cursor)?.position ?? 0;
