/** A fake server with `/api/chat/socket`: the log of `FakeServer` over a WebSocket, and answers to commands. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { PostCommand } from '../schema';
import type { Message } from '../types';
import { FakeServer, type Row } from './fake-server';
import { acceptSocket, textFrame } from './websocket';

export interface SentCommand extends Partial<Omit<PostCommand, 'type' | 'id'>> {
  type: string;
  id: number;
  seq?: number;
  at?: number;
  text?: string;
  state?: 'complete' | 'cancelled' | 'failed';
  emoji?: string;
}

export class FakeCommandServer extends FakeServer {
  /**
   * What goes wrong with a command: its answer is `lost` with the connection, it is cut off `undone`, it is `held` without
   * an answer, or answered by this problem.
   */
  fault: (command: SentCommand) => 'lost' | 'undone' | 'held' | Record<string, unknown> | null = () => null;
  readonly received: SentCommand[] = [];
  readonly sockets = new Set<Socket>();
  /** The socket requests: their cursor, and the authorization. */
  readonly handshakes: { cursor: string; token: string | undefined }[] = [];
  readonly messages = new Map<number, Message>();

  get base(): string {
    return new URL(this.url).origin;
  }

  override async listen(): Promise<void> {
    await super.listen();
    this.server?.on('upgrade', (request: IncomingMessage, socket: Socket) => this.upgrade(request, socket));
  }

  override async kill(): Promise<void> {
    this.cuts();
    await super.kill();
  }

  override cuts(): void {
    super.cuts();
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
  }

  /** Add an entry to the log, and send it. */
  enters(event: string, data: unknown): void {
    const row: Row = { position: (this.log.at(-1)?.position ?? 0) + 3, event, data };
    this.log.push(row);
    for (const socket of this.sockets) socket.write(this.entry(row));
  }

  private upgrade(request: IncomingMessage, socket: Socket): void {
    const cursor = new URL(request.url ?? '', 'http://peer').searchParams.get('lastEventId') ?? '';
    this.handshakes.push({ cursor, token: request.headers.authorization });
    socket.on('error', () => undefined);
    if (this.errorAnswer) return void socket.end(`HTTP/1.1 ${this.errorAnswer.status} Refused\r\n\r\n`);
    acceptSocket(request, socket, (text) => this.take(JSON.parse(text) as SentCommand, socket));
    const [missed, head] = [this.since(cursor || undefined), this.cursor];
    if (missed) {
      const ready = { cursor: cursor || head, head, resumed: cursor !== '' };
      socket.write(textFrame({ id: ready.cursor, event: 'ready', retry: 20, data: ready }));
      for (const row of missed) socket.write(this.entry(row));
    } else socket.write(textFrame({ event: 'reset', data: { cursor: head, reason: 'too_old' } }));
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
  }

  private entry({ position, event, data }: Row): Buffer {
    return textFrame({ id: `${this.epoch}.${position}`, ...(event !== 'message' && { event }), data });
  }

  private take(command: SentCommand, socket: Socket): void {
    if (socket.destroyed) return;
    this.received.push(command);
    const fault = this.fault(command);
    if (fault === 'held') return;
    if (fault === 'undone') return void socket.destroy();
    const answer = typeof fault === 'object' && fault ? { id: command.id, ...fault, type: 'problem' } : this.carryOut(command);
    if (fault === 'lost') socket.destroy();
    else socket.write(textFrame(answer));
  }

  private carryOut(command: SentCommand): object {
    const ack = { type: 'ack', id: command.id };
    if (command.type === 'post') return { ...ack, message: this.post(command) };
    const message = this.messages.get(command.seq ?? 0);
    if (!message) return { type: 'problem', id: command.id, status: 404, code: 'not_found', detail: 'Not found.' };
    if (command.type === 'append') {
      const { at = 0, text = '' } = command;
      message.body = [...message.body].slice(0, at).join('') + text;
      return { ...ack, length: [...message.body].length };
    }
    if (command.type === 'edit') message.body = command.body ?? '';
    if (command.type === 'finish') Object.assign(message, { streaming: false, state: command.state });
    return command.type === 'edit' || command.type === 'finish' ? { ...ack, message } : ack;
  }

  private post({ conversation = 0, body = '', client_id = '', streaming = false }: SentCommand): Message {
    const known = [...this.messages.values()].find((one) => one.client_id === client_id);
    if (known) return known;
    const seq = this.messages.size + 1;
    const said = { conversation, seq, author: 1, body, client_id, created_at: '2026-01-01T00:00:00.000Z' };
    const message: Message = { ...said, ...(streaming && { streaming }) };
    this.messages.set(seq, message);
    this.enters('message', { ...message });
    return message;
  }
}
