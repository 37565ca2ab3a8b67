/** A small real presence server for tests, with sockets and tickets. It can misbehave as a test needs. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Own, PresenceRecord, Signal, ServerFrame } from '../presence/protocol';
import { acceptSocket, closeFrame, textFrame } from './websocket';

export const you: Own = {
  ...{ id: 1, status: 'online', mode: 'online', text: '', emoji: '', until: null, devices: 1, version: 1 },
};

export function record(id: number, fields: Partial<PresenceRecord> = {}): PresenceRecord {
  const nothing = { text: '', emoji: '', until: null, last_active_at: null, devices: 1 };
  return { id, status: 'online', version: 1, ...nothing, ...fields };
}

export class FakePresenceServer {
  /** The answer to the next sockets: a hello, silence, or a rejected handshake. */
  handshake: 'greet' | 'mute' | 'refuse' = 'greet';
  /** The status that rejects tickets, while set. */
  ticketError: { status: number; retryAfter?: number } | null = null;
  heartbeat = 20;
  readonly received: Signal[] = [];
  readonly requests: string[] = [];
  readonly open = new Set<Socket>();
  /** The records that answer a watch. */
  people = new Map<number, PresenceRecord>();
  private readonly server: Server = createServer((request, response) => {
    this.requests.push(`${request.method} ${request.url}`);
    const { status, retryAfter } = this.ticketError ?? { status: 201 };
    const headers = {
      'Content-Type': 'application/json',
      ...(retryAfter !== undefined && { 'Retry-After': retryAfter }),
    };
    response.writeHead(status, headers).end(JSON.stringify({ ticket: 't1', code: 'refused', detail: 'no' }));
  });

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<void> {
    this.server.on('upgrade', (request: IncomingMessage, socket: Socket) => this.upgrade(request, socket));
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  async kill(): Promise<void> {
    this.cuts();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  says(message: ServerFrame): void {
    for (const socket of this.open) socket.write(textFrame(message));
  }

  closes(code: number): void {
    for (const socket of this.open) socket.end(closeFrame(code));
    this.open.clear();
  }

  cuts(): void {
    for (const socket of this.open) socket.destroy();
    this.open.clear();
  }

  named<T extends Signal['type']>(type: T): (Signal & { type: T })[] {
    return this.received.filter((signal): signal is Signal & { type: T } => signal.type === type);
  }

  private upgrade(request: IncomingMessage, socket: Socket): void {
    this.requests.push(`socket ${request.url}`);
    socket.on('error', () => undefined);
    if (this.handshake === 'refuse') return void socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
    acceptSocket(request, socket, (text) => this.take(JSON.parse(text) as Signal));
    this.open.add(socket);
    socket.on('close', () => this.open.delete(socket));
    if (this.handshake === 'greet') this.says({ type: 'hello', node: 'a1', heartbeat: this.heartbeat, you, witness: 'e.0', degraded: false });
  }

  private take(signal: Signal): void {
    this.received.push(signal);
    if (signal.type !== 'watch' || !signal.users?.length) return;
    const users = signal.users.flatMap((id) => this.people.get(id) ?? []);
    this.says({ type: 'snapshot', users });
  }
}
