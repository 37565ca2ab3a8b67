/**
 * One lasting presence socket made of many connections. It detects silence, and reconnects with full jitter, never
 * sooner than the server asked for.
 *
 * A browser does not tell why a handshake failed. After a failure the next attempt therefore asks for a ticket over
 * HTTP first. The answer shows whether the session has ended, the server asks to wait, or cookies cannot be sent.
 */
import { type Backoff, delay } from '../backoff';
import { asProblem } from '../problem';
import { decodeFrame, type Signal, type ServerFrame } from './protocol';

export type SocketState =
  | { name: 'connecting' | 'open' | 'refused' | 'stopped' }
  | { name: 'closed'; retryAt: number };

export interface SocketOptions {
  /** Address of `/api/presence/socket`, `ws:` or `wss:`. */
  url: string;
  /** Request a ticket; throw a `Problem` on failure. */
  ticket(): Promise<string>;
  /** Clients without cookies need a ticket for every socket. */
  ticketOnly?: boolean;
  onFrame(frame: ServerFrame): void;
  onState(state: SocketState): void;
  timings?: Partial<SocketTimings>;
  random?(): number;
}

export interface SocketTimings {
  /** Milliseconds within which `hello` must arrive. */
  helloWithin: number;
  backoff: Backoff;
  /** Seconds to stay disconnected after sending too fast, or after too many invalid frames. */
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
  private state: SocketState = { name: 'stopped' };
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
    if (this.state.name === 'stopped' || this.state.name === 'refused') void this.connect();
  }

  stop(): void {
    this.abandon();
    this.setState({ name: 'stopped' });
  }

  /** Reconnect at once: the network is back, or the user is. */
  wake(): void {
    if (this.state.name === 'closed') void this.connect();
  }

  /** Close the connection, because the network is known to be down. The socket reconnects. */
  dropConnection(): void {
    if (this.socket) this.onClose(0);
  }

  /** Send a frame; return true if the socket was open. */
  send(signal: Signal): boolean {
    if (this.state.name !== 'open') return false;
    this.socket?.send(JSON.stringify(signal));
    return true;
  }

  private async connect(): Promise<void> {
    this.abandon();
    this.setState({ name: 'connecting' });
    const attempt = this.attempt;
    const withTicket = this.ticketNext;
    let query = '';
    if (withTicket) {
      try {
        query = `?ticket=${encodeURIComponent(await this.options.ticket())}`;
      } catch (error) {
        if (attempt === this.attempt) this.onTicketError(error);
        return;
      }
    }
    if (attempt === this.attempt) this.open(this.options.url + query, withTicket);
  }

  private open(url: string, withTicket: boolean): void {
    const socket = new WebSocket(url);
    this.socket = socket;
    this.restartTimeout(this.timings.helloWithin);
    socket.onmessage = ({ data }) => {
      const frame = decodeFrame(data);
      if (frame?.type === 'hello') this.onHello(frame.heartbeat, withTicket);
      if (frame) this.options.onFrame(frame);
    };
    socket.onclose = ({ code }) => this.onClose(code);
  }

  private onHello(heartbeat: number, withTicket: boolean): void {
    this.failures = 0;
    this.cookieWorks ||= !withTicket;
    this.ticketNext = !this.cookieWorks;
    // every frame restarts the timeout; the server sends heartbeats at least
    const timeout = heartbeat * 2_500;
    this.restartTimeout(timeout);
    this.socket?.addEventListener('message', () => this.restartTimeout(timeout));
    this.setState({ name: 'open' });
  }

  private onTicketError(error: unknown): void {
    const problem = asProblem(error);
    if (problem.status === 401) return this.setState({ name: 'refused' });
    this.retryIn(delay(this.failures++, this.timings.backoff, this.random(), problem.retryAfter));
  }

  private onClose(code: number): void {
    const open = this.state.name === 'open';
    this.abandon();
    if (code === REVOKED) return this.setState({ name: 'refused' });
    this.ticketNext ||= !open;
    const { backoff, tooFast, tooBad } = this.timings;
    // a draining node spreads its closes over time, and other nodes are available
    const failures = code === DRAIN ? 0 : this.failures++;
    const pause = code === TOO_FAST ? tooFast : code === POLICY ? tooBad : 0;
    this.retryIn(delay(failures, backoff, this.random(), pause));
  }

  private retryIn(milliseconds: number): void {
    this.setState({ name: 'closed', retryAt: Date.now() + milliseconds });
    this.timer = setTimeout(() => void this.connect(), milliseconds);
  }

  private restartTimeout(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.onClose(0), milliseconds);
  }

  /** Close the current connection or attempt, without waiting for the server. */
  private abandon(): void {
    clearTimeout(this.timer);
    this.attempt++;
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    [socket.onmessage, socket.onclose] = [null, null];
    socket.close();
  }

  private setState(state: SocketState): void {
    this.state = state;
    this.options.onState(state);
  }
}
