/**
 * One lasting presence socket made of many: it opens, hears, says, notices silence, and comes back with full
 * jitter, never sooner than it was asked to.
 *
 * A browser does not tell why a handshake failed. So after one the next attempt first asks for a ticket over
 * HTTP, which says whether the login has ended, the server wants a pause, or cookies cannot travel here.
 */
import { type Backoff, delay } from '../backoff';
import { asProblem } from '../problem';
import { decodeTold, type Signal, type Told } from './protocol';

export type SocketState =
  | { name: 'connecting' | 'open' | 'refused' | 'stopped' }
  | { name: 'closed'; retryAt: number };

export interface SocketOptions {
  /** Address of `/api/presence/socket`, `ws:` or `wss:`. */
  url: string;
  /** Asks for a ticket; throws a `Problem`. */
  ticket(): Promise<string>;
  /** No cookie travels: every socket needs a ticket. */
  ticketOnly?: boolean;
  told(told: Told): void;
  state(state: SocketState): void;
  timings?: Partial<SocketTimings>;
  random?(): number;
}

export interface SocketTimings {
  /** Milliseconds until `hello` must have come. */
  helloWithin: number;
  backoff: Backoff;
  /** Seconds to stay away after having been too fast, or after too many bad frames. */
  tooFast: number;
  tooBad: number;
}

export const SOCKET_TIMINGS: SocketTimings = {
  helloWithin: 10_000,
  backoff: { first: 1_000, most: 30_000 },
  tooFast: 10,
  tooBad: 30,
};

const DRAIN = 1001;
const POLICY = 1008;
const REVOKED = 4401;
const TOO_FAST = 4429;

export class PresenceSocket {
  private current: SocketState = { name: 'stopped' };
  private socket: WebSocket | null = null;
  private attempt = 0;
  private failures = 0;
  private ticketNext: boolean;
  private cookieWorks = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly timings: SocketTimings;
  private readonly random: () => number;

  constructor(private readonly options: SocketOptions) {
    this.timings = { ...SOCKET_TIMINGS, ...options.timings };
    this.random = options.random ?? Math.random;
    this.ticketNext = options.ticketOnly ?? false;
  }

  start(): void {
    if (this.current.name === 'stopped' || this.current.name === 'refused') void this.connect();
  }

  stop(): void {
    this.leave();
    this.become({ name: 'stopped' });
  }

  /** Tries at once: the network is back, or the person is. */
  wake(): void {
    if (this.current.name === 'closed') void this.connect();
  }

  /** The network is known to be gone: no longer believe in the open connection. */
  cut(): void {
    if (this.socket) this.ended(0);
  }

  /** True when it went out. */
  say(signal: Signal): boolean {
    if (this.current.name !== 'open') return false;
    this.socket?.send(JSON.stringify(signal));
    return true;
  }

  private async connect(): Promise<void> {
    this.leave();
    this.become({ name: 'connecting' });
    const attempt = this.attempt;
    const withTicket = this.ticketNext;
    let query = '';
    if (withTicket) {
      try {
        query = `?ticket=${encodeURIComponent(await this.options.ticket())}`;
      } catch (error) {
        if (attempt === this.attempt) this.unticketed(error);
        return;
      }
    }
    if (attempt === this.attempt) this.open(this.options.url + query, withTicket);
  }

  private open(url: string, withTicket: boolean): void {
    const socket = new WebSocket(url);
    this.socket = socket;
    this.expect(this.timings.helloWithin);
    socket.onmessage = ({ data }) => {
      const told = decodeTold(data);
      if (told?.type === 'hello') this.greeted(told.heartbeat, withTicket);
      if (told) this.options.told(told);
    };
    socket.onclose = ({ code }) => this.ended(code);
  }

  private greeted(heartbeat: number, withTicket: boolean): void {
    this.failures = 0;
    this.cookieWorks ||= !withTicket;
    this.ticketNext = !this.cookieWorks;
    // every word of the server, its heartbeat at the least, winds the watch up again
    const patience = heartbeat * 2_500;
    this.expect(patience);
    this.socket?.addEventListener('message', () => this.expect(patience));
    this.become({ name: 'open' });
  }

  private unticketed(error: unknown): void {
    const problem = asProblem(error);
    if (problem.status === 401) return this.become({ name: 'refused' });
    this.rest(delay(this.failures++, this.timings.backoff, this.random(), problem.retryAfter));
  }

  private ended(code: number): void {
    const open = this.current.name === 'open';
    this.leave();
    if (code === REVOKED) return this.become({ name: 'refused' });
    this.ticketNext ||= !open;
    const { backoff, tooFast, tooBad } = this.timings;
    // a draining node has already spread its closes; it has others beside it
    const failures = code === DRAIN ? 0 : this.failures++;
    const pause = code === TOO_FAST ? tooFast : code === POLICY ? tooBad : 0;
    this.rest(delay(failures, backoff, this.random(), pause));
  }

  private rest(milliseconds: number): void {
    this.become({ name: 'closed', retryAt: Date.now() + milliseconds });
    this.timer = setTimeout(() => void this.connect(), milliseconds);
  }

  private expect(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ended(0), milliseconds);
  }

  /** Lets go of whatever is under way, without waiting for the other side. */
  private leave(): void {
    clearTimeout(this.timer);
    this.attempt++;
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    [socket.onmessage, socket.onclose] = [null, null];
    socket.close();
  }

  private become(state: SocketState): void {
    this.current = state;
    this.options.state(state);
  }
}
