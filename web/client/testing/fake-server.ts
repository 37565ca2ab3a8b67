/** A small real server for tests: a log of messages over stream and long-poll. It can misbehave as a test needs. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Message } from '../types';

export interface Row {
  position: number;
  event: string;
  data: unknown;
}

export class FakeServer {
  epoch = 'e1';
  /** The epochs that this one continues: their cursors are valid. */
  earlier: string[] = [];
  floor = 0;
  /** `open`: streams work. `buffer`: nothing gets through. `mute`: only `ready` gets through. */
  streams: 'open' | 'buffer' | 'mute' = 'open';
  /** The most entries in the answer to one poll. */
  page = Infinity;
  /** Answer every request with this error, while set. */
  errorAnswer: { status: number; headers?: Record<string, string> } | null = null;
  readonly requests: { path: string; cursor: string | undefined; at: number }[] = [];
  readonly open = new Set<ServerResponse>();
  protected readonly log: Row[] = [];
  private readonly waiting = new Set<() => void>();
  protected server: Server | null = null;
  private port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}/api/chat/stream`;
  }

  get cursor(): string {
    return `${this.epoch}.${this.log.at(-1)?.position ?? 0}`;
  }

  async listen(): Promise<void> {
    this.server = createServer((request, response) => this.answer(request, response));
    await new Promise<void>((resolve) => this.server?.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Stop as if killed: every connection is cut. */
  async kill(): Promise<void> {
    this.open.clear();
    const closed = new Promise((resolve) => this.server?.close(resolve));
    this.server?.closeAllConnections();
    await closed;
  }

  says(body: string): void {
    const position = (this.log.at(-1)?.position ?? 0) + 3;
    const message: Message = {
      conversation: 1,
      seq: this.log.length + 1,
      author: 2,
      body,
      client_id: `c${position}`,
      created_at: '2026-01-01T00:00:00.000Z',
    };
    this.log.push({ position, event: 'message', data: message });
    const row = this.log[this.log.length - 1] as Row;
    for (const stream of this.open) if (this.streams === 'open') stream.write(this.frame(row));
    for (const goOn of this.waiting) goOn();
  }

  /** Write raw text to every open stream. */
  writes(text: string): void {
    for (const stream of this.open) stream.write(text);
  }

  beats(): void {
    this.writes(`event: beat\ndata: 1\nid: ${this.cursor}\n\n`);
  }

  /** Send an entry again, as a broken node could. */
  repeats(index: number): void {
    this.writes(this.frame(this.log[index] as Row));
  }

  cuts(): void {
    for (const stream of this.open) stream.destroy();
    this.open.clear();
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://peer');
    const cursor =
      (request.headers['last-event-id'] as string | undefined) ?? url.searchParams.get('after') ?? undefined;
    const poll = url.searchParams.get('poll');
    this.requests.push({ path: poll === null ? 'stream' : 'poll', cursor, at: Date.now() });
    if (this.errorAnswer) {
      response.writeHead(this.errorAnswer.status, {
        'Content-Type': 'application/problem+json',
        ...this.errorAnswer.headers,
      });
      response.end(JSON.stringify({ status: this.errorAnswer.status, code: 'refused', detail: 'no' }));
    } else if (poll !== null) this.poll(cursor, Number(poll), response);
    else this.stream(cursor, response);
  }

  private stream(cursor: string | undefined, response: ServerResponse): void {
    if (this.streams === 'buffer') return;
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const missed = this.since(cursor);
    if (!missed) {
      response.end(`event: reset\ndata: {"cursor":"${this.cursor}","reason":"too_old"}\n\n`);
      return;
    }
    const start = cursor ? `${this.epoch}.${cursor.split('.')[1]}` : this.cursor;
    const ready = { cursor: start, head: this.cursor, resumed: cursor !== undefined };
    response.write(`retry: 20\nevent: ready\ndata: ${JSON.stringify(ready)}\nid: ${start}\n\n`);
    if (this.streams === 'open') for (const row of missed) response.write(this.frame(row));
    this.open.add(response);
    response.on('close', () => this.open.delete(response));
  }

  private poll(after: string | undefined, seconds: number, response: ServerResponse): void {
    const answer = () => {
      clearTimeout(timer);
      this.waiting.delete(answer);
      const missed = this.since(after);
      const events = (missed ?? []).slice(0, this.page).map((row) => ({
        id: `${this.epoch}.${row.position}`,
        event: row.event,
        data: row.data,
      }));
      const cursor = missed && missed.length > this.page ? events.at(-1)?.id : this.cursor;
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ events, cursor, ...(!missed && { reset: 'too_old' }) }));
    };
    const timer = setTimeout(answer, seconds * 100);
    const missed = this.since(after);
    if (!missed || missed.length) answer();
    else this.waiting.add(answer);
  }

  protected since(cursor: string | undefined): Row[] | null {
    const [epoch, position] = (cursor ?? this.cursor).split('.');
    if (![this.epoch, ...this.earlier].includes(epoch ?? '') || Number(position) < this.floor) return null;
    return this.log.filter((row) => row.position > Number(position));
  }

  private frame(row: Row): string {
    const event = row.event === 'message' ? '' : `event: ${row.event}\n`;
    return `${event}data: ${JSON.stringify(row.data)}\nid: ${this.epoch}.${row.position}\n\n`;
  }
}

/** Wait until the condition holds; fail after `limit` milliseconds. */
export async function eventually(holds: () => boolean, limit = 5_000): Promise<void> {
  const until = Date.now() + limit;
  while (!holds()) {
    if (Date.now() > until) throw new Error(`not within ${limit} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
