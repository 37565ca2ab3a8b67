/**
 * The durable stream over one WebSocket, `/api/chat/socket`, on which commands are sent too. Each is answered.
 *
 * Commands without an answer when the connection is lost are sent again on the next one, in the same order. No message,
 * text or reaction is stored twice: the server knows a post by its `client_id`, an append by its offset, and a finish by
 * its state. A reaction, a deletion or a read mark that exists already changes nothing. An edit is the exception: sent
 * again, it replaces an edit that another device of the author made meanwhile.
 */
import type { Api } from './api';
import { decodeEvent, type RawEvent, type Stop } from './entry';
import type { EntrySourceOptions } from './entry-source';
import { streamMessage, type StreamedMessageApi, type StreamMessageOptions, type TextSource, wellFormed } from './message-writer';
import { newClientId } from './outgoing';
import { asProblem, fieldErrors, Problem, unreachable } from './problem';
import type * as schema from './schema';
import { DurableStream, type StreamOptions } from './stream';
import type { ConnectionEnd, StreamHandler, StreamTimeouts } from './stream-connection';
import type { Ending, Id, Message, References } from './types';

type AnyCommand = schema.PostCommand | schema.EditCommand | schema.DeleteCommand | schema.ReactCommand;
type Command = AnyCommand | schema.ReadCommand | schema.AppendCommand | schema.FinishCommand;
type Answer = schema.CommandDone | schema.CommandRefused;

export interface CommandSocketOptions extends Partial<Omit<EntrySourceOptions, 'url' | 'headers'>> {
  /** The server, and who the user is. In browsers only a cookie can say that: see `Api.exchange`. */
  api: Api;
  /** The cursor to start from. */
  cursor?: string;
  /** Without it, entries start at the end of the log, also after a reset. */
  loadSnapshot?(reason: string): Promise<string>;
}

/** Commands that are sent without an answer to them. More wait; the server lets 100 of a socket wait. */
const UNANSWERED_MOST = 32;
/** The longest command, in bytes: the server closes a socket that sends more. */
const COMMAND_MOST = 64 * 1024;
/** Commands that may be sent at once, and milliseconds for each one after them. The server allows a little more. */
const BURST = 40;
const INTERVAL = 1000 / 18;

/** A connection with commands. It is a stream too, with the states and promises of `DurableStream`. */
export class CommandSocket implements StreamedMessageApi {
  private readonly queue = new CommandQueue();
  private readonly stream: DurableStream;
  private readonly onStops = new Set<(stop: Stop) => void>();

  constructor(private readonly options: CommandSocketOptions) {
    const { api, onEntry, onState, loadSnapshot, ...rest } = options;
    if (typeof WebSocket === 'undefined') throw new TypeError('Node 20 needs --experimental-websocket; later versions do not.');
    if (typeof document !== 'undefined' && Object.keys(api.identity()).length)
      throw new TypeError('A browser cannot send a token with a WebSocket. Use a session cookie, such as that of Api.exchange.');
    const streamOptions: StreamOptions = {
      ...rest,
      url: `${api.base}/api/chat/stream`,
      headers: () => api.identity(),
      loadSnapshot: loadSnapshot ?? (() => endOfLog(api)),
      onEntry: (entry) => {
        if (entry.event === 'stop') for (const listener of [...this.onStops]) listener(entry.data);
        onEntry?.(entry);
      },
      onState: (state) => {
        if (state.name === 'refused') this.queue.close(sessionEnded());
        onState?.(state);
      },
    };
    this.stream = new SocketStream(streamOptions, api, this.queue);
  }

  /** The position reached in the log. */
  get cursor(): string | null {
    return this.stream.cursor;
  }

  /** Connect. Commands can be given before. */
  start(): void {
    this.queue.open();
    this.stream.start();
  }

  /** Disconnect. Commands without an answer fail with an `AbortError`; the server may have carried them out. */
  stop(): void {
    this.stream.stop();
    this.queue.close(new DOMException('The socket was stopped before the server answered.', 'AbortError'));
  }

  /** Try again at once: the network is back, or the user is. */
  wake(): void {
    this.stream.wake();
  }

  /** Close the connection, because the network is known to be down. The socket reconnects. */
  dropConnection(): void {
    this.stream.dropConnection();
  }

  /** Post a message and return it. The same `clientId` after a restart finds the message of the first attempt. */
  post(conversation: Id, body: string, clientId = newClientId(), references: References = {}): Promise<Message> {
    return this.sendPost({ type: 'post', conversation, body, client_id: clientId }, references);
  }

  /** Edit a message. `files` lists the files to keep; without it all files are kept. `data`: null removes it. */
  async edit(conversation: Id, seq: number, body: string, files?: Id[], data?: Record<string, unknown> | null): Promise<Message> {
    const correction = { body, ...(files && { files }), ...(data !== undefined && { data }) };
    return messageIn(await this.queue.send({ type: 'edit', conversation, seq, ...correction }));
  }

  async delete(conversation: Id, seq: number): Promise<void> {
    await this.queue.send({ type: 'delete', conversation, seq });
  }

  /** Add a reaction, or remove it. */
  async react(conversation: Id, seq: number, emoji: string, on: boolean): Promise<void> {
    await this.queue.send({ type: 'react', conversation, seq, emoji, ...(!on && { remove: true }) });
  }

  /** Mark everything up to `seq` as read. */
  async read(conversation: Id, seq: number): Promise<void> {
    await this.queue.send({ type: 'read', conversation, seq });
  }

  /** Post a message whose text is appended while others read it. `streamMessage` does all of it. */
  beginStreaming(conversation: Id, clientId: string, references: References = {}): Promise<Message> {
    return this.sendPost({ type: 'post', conversation, body: '', client_id: clientId, streaming: true }, references);
  }

  /** Append text at an offset in code points. Return the length of the text. */
  async append(conversation: Id, seq: number, at: number, text: string): Promise<number> {
    return (await this.queue.send({ type: 'append', conversation, seq, at, text })).length ?? 0;
  }

  /** End a streamed message. */
  async finish(conversation: Id, seq: number, state: Ending, data?: Record<string, unknown>): Promise<Message> {
    return messageIn(await this.queue.send({ type: 'finish', conversation, seq, state, ...(data && { data }) }));
  }

  /** Load a message, over HTTP. */
  message(conversation: Id, seq: number): Promise<Message> {
    return this.options.api.message(conversation, seq);
  }

  /** Send a message whose text is produced while others read it. It ends as `cancelled` if a reader asks to stop. */
  streamMessage(conversation: Id, source: TextSource, options: StreamMessageOptions = {}): Promise<Message> {
    const onStop = (listener: (stop: Stop) => void) => {
      this.onStops.add(listener);
      return () => void this.onStops.delete(listener);
    };
    return streamMessage(this, conversation, source, { onStop, ...options });
  }

  private async sendPost(command: schema.PostCommand, { files, type, ...rest }: References): Promise<Message> {
    const more = { ...(files?.length && { files: files.map((file) => file.id) }), ...(type && { message_type: type }) };
    return messageIn(await this.queue.send({ ...command, ...rest, ...more }));
  }
}

interface QueuedCommand {
  text: string;
  resolve(answer: schema.CommandDone): void;
  reject(error: unknown): void;
}

/** Commands on their way, in order. They outlive connections. */
class CommandQueue {
  private readonly unanswered = new Map<number, QueuedCommand>();
  private readonly waiting = new Map<number, QueuedCommand>();
  private socket: WebSocket | null = null;
  private count = 0;
  /** When the server's allowance for this socket is full again. */
  private fullAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed: { reason: unknown } | null = null;

  send(command: Command): Promise<schema.CommandDone> {
    const id = ++this.count;
    // halves of characters: the server could not read the frame
    const text = JSON.stringify({ ...command, id }, (_, value: unknown) => (typeof value === 'string' ? wellFormed(value) : value));
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(this.closed.reason);
      if (new TextEncoder().encode(text).length > COMMAND_MOST) return reject(tooLarge());
      this.waiting.set(id, { text, resolve, reject });
      this.sendWaiting();
    });
  }

  open(): void {
    this.closed = null;
  }

  /** Fail all commands, and those that follow. */
  close(reason: unknown): void {
    this.closed = { reason };
    this.socket = null;
    this.fail(reason, this.waiting);
    this.fail(reason, this.unanswered);
  }

  /** Send the commands without an answer on a new socket, and then those that wait. */
  begin(socket: WebSocket): void {
    this.socket = socket;
    this.fullAt = Date.now() + this.unanswered.size * INTERVAL;
    for (const { text } of this.unanswered.values()) socket.send(text);
    this.sendWaiting();
  }

  /** Keep the commands for the next socket. */
  end(socket: WebSocket): void {
    if (this.socket === socket) this.socket = null;
  }

  takeAnswer(answer: Answer): void {
    const done = isDone(answer);
    // an answer without an id is to a frame that the server could not read
    if (!done && answer.id === undefined) return this.fail(problemOf(answer), this.unanswered);
    const id = Number(answer.id);
    const command = this.unanswered.get(id);
    this.unanswered.delete(id);
    if (done) command?.resolve(answer);
    else command?.reject(problemOf(answer));
    this.sendWaiting();
  }

  private fail(reason: unknown, commands: Map<number, QueuedCommand>): void {
    const failed = [...commands.values()];
    commands.clear();
    for (const { reject } of failed) reject(reason);
  }

  private sendWaiting(): void {
    clearTimeout(this.timer);
    for (const [id, command] of this.waiting) {
      if (!this.socket || this.unanswered.size >= UNANSWERED_MOST) return;
      const now = Date.now();
      const next = Math.max(this.fullAt, now) + INTERVAL;
      const early = next - now - BURST * INTERVAL;
      if (early > 0) return void (this.timer = setTimeout(() => this.sendWaiting(), early));
      this.fullAt = next;
      this.waiting.delete(id);
      this.unanswered.set(id, command);
      this.socket.send(command.text);
    }
  }
}

/** A durable stream whose connections are sockets. It polls where no socket gets through; commands wait meanwhile. */
class SocketStream extends DurableStream {
  constructor(
    options: StreamOptions,
    private readonly api: Api,
    private readonly queue: CommandQueue,
  ) {
    super(options);
  }

  protected override async openStream(signal: AbortSignal, onReady?: () => void): Promise<ConnectionEnd> {
    let ready = false;
    const handler = this.receiver.handler(() => {
      ready = true;
      onReady?.();
    });
    const base = this.api.base || location.origin;
    const url = `${base.replace(/^http/, 'ws')}/api/chat/socket?lastEventId=${encodeURIComponent(this.cursor ?? '')}`;
    const end = await readSocket(openWebSocket(url, this.api.identity()), signal, this.timings, handler, this.queue);
    if (ready || signal.aborted || end.kind !== 'closed') return end;
    // a browser does not tell why a handshake failed, but a request does
    return { kind: 'failed', problem: await endOfLog(this.api).then(unreachable, asProblem) };
  }
}

/** Read one socket to its end. Every frame after `ready` restarts the timer that detects silence. */
async function readSocket(
  socket: WebSocket,
  signal: AbortSignal,
  timeouts: StreamTimeouts,
  handler: StreamHandler,
  queue: CommandQueue,
): Promise<ConnectionEnd> {
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  const end = await new Promise<ConnectionEnd>((resolve) => {
    const closed = () => resolve({ kind: 'closed' });
    const watch = (within: number) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => resolve({ kind: 'silent' }), within);
    };
    let ready = false;
    watch(timeouts.readyWithin);
    signal.addEventListener('abort', closed, { once: true });
    // after a failed handshake, Node 20 fires no `close`
    [socket.onclose, socket.onerror] = [closed, closed];
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(String(data)) as Answer | (RawEvent & { type?: undefined; retry?: number });
      if (ready) watch(timeouts.silence);
      if (frame.type !== undefined) return queue.takeAnswer(frame);
      if (frame.retry !== undefined) handler.onRetry(frame.retry);
      const event = decodeEvent(frame);
      const ended = event && handler.onEvent(event);
      if (ended) return resolve(ended);
      if (event?.event !== 'ready') return;
      ready = true;
      watch(timeouts.silence);
      queue.begin(socket);
    };
  });
  clearTimeout(watchdog);
  queue.end(socket);
  [socket.onmessage, socket.onclose, socket.onerror] = [null, null, null];
  socket.close();
  return end;
}

/** Open a socket. Node sends the headers; in a browser there are none, and the cookie identifies the user. */
function openWebSocket(url: string, headers: Record<string, string>): WebSocket {
  return Object.keys(headers).length ? new WebSocket(url, { headers } as unknown as string[]) : new WebSocket(url);
}

async function endOfLog(api: Api): Promise<string> {
  return (await api.call<{ cursor: string }>('GET', '/api/chat/stream?poll=0')).cursor;
}

const isDone = (answer: Answer): answer is schema.CommandDone => answer.type === 'ack';

function problemOf(answer: schema.CommandRefused): Problem {
  const { retry_after: retryAfter, errors, ...rest } = answer;
  return new Problem({ ...rest, retryAfter, errors: fieldErrors(errors), document: { ...answer } });
}

function messageIn({ message }: schema.CommandDone): Message {
  if (!message) throw unreachable();
  return message;
}

const sessionEnded = () => new Problem({ status: 401, code: 'unauthenticated', detail: 'The session has ended. Log in again.' });

const tooLarge = () => new Problem({ status: 413, code: 'too_large', detail: `A command has at most ${COMMAND_MOST} bytes.` });
