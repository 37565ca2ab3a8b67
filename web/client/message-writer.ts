/**
 * Sends one message whose text is produced while others read it: the answer of a language model, a transcript, a log.
 *
 * At most one append is in flight. Text that is produced meanwhile is joined to the next one, and a source that is faster
 * than the server waits. An append says where it begins, so that retries after a lost answer change nothing. If the
 * server has less text than this client believed, the client continues at the server's length.
 */
import type { Api } from './api';
import { type Backoff, delay } from './backoff';
import type { Stop } from './entry';
import { codePoints, withoutFirst } from './message';
import { newClientId } from './outgoing';
import { asProblem, Problem } from './problem';
import type { Ending, Id, Message, References } from './types';

type Data = Record<string, unknown>;

/** Pieces of text. The value that the iterator returns, if any, becomes the message's `data`. */
export type TextSource = AsyncIterable<string, Data | void>;

/** The calls that send a streamed message: an `Api`, or a `CommandSocket`. */
export type StreamedMessageApi = Pick<Api, 'beginStreaming' | 'append' | 'finish' | 'message'>;

export interface StreamMessageOptions extends References {
  /** The same one after a restart continues the same message; the source then starts from the beginning. */
  clientId?: string;
  /** Ends the message as `cancelled`. */
  signal?: AbortSignal;
  /** Called when the server has the message, still without text. */
  onStart?(message: Message): void;
  /** Registers a listener for requests to stop. `Store.streamMessage` listens to the user's stream. */
  onStop?(listener: (stop: Stop) => void): () => void;
  /** Milliseconds without text after which the server is told that the author is still there. Default: 20 s. */
  silence?: number;
  backoff?: Backoff;
  random?(): number;
}

/** The most UTF-16 code units of one append. The longest such request has less than 64 KiB. */
const APPEND_MOST = 8_000;
/** The source waits while so many code units wait to be sent. */
const PENDING_MOST = 16_000;
const SILENCE = 20_000;
const BACKOFF: Backoff = { first: 250, most: 10_000 };
/** Attempts of a call after the message was cancelled. The server ends a silent message by itself. */
const LAST_TRIES = 6;

/**
 * Send a message whose text comes from `source`, and return the message as the server has it at the end.
 *
 * Its `state` is `complete`, or `cancelled` after `signal` or a request to stop; the source is then ended by its iterator's
 * `return`. It is `failed` if the server ended it. If the source throws, the message ends as `failed`, and the error is thrown. A `Problem` is
 * thrown if the server rejects the message. Connections that fail are retried for as long as it takes.
 */
export function streamMessage(
  api: StreamedMessageApi,
  conversation: Id,
  source: TextSource,
  options: StreamMessageOptions = {},
): Promise<Message> {
  return new MessageWriter(api, conversation, options).write(source);
}

class MessageWriter {
  private seq = 0;
  /** Text that the server has, in pieces, and its length in code points. */
  private sent: string[] = [];
  private length = 0;
  /** Text that waits to be sent. */
  private pending = '';
  private ending: { state: Ending; data?: Data } | null = null;
  /** What the source has thrown. */
  private thrown: { error: unknown } | null = null;
  /** Requests to stop that came before the message's `seq` was known. */
  private readonly stops = new Set<number>();
  private wake: () => void = () => undefined;
  private interrupt: () => void = () => undefined;
  private makeRoom: () => void = () => undefined;

  constructor(
    private readonly api: StreamedMessageApi,
    private readonly conversation: Id,
    private readonly options: StreamMessageOptions,
  ) {}

  async write(source: TextSource): Promise<Message> {
    const { signal, clientId = newClientId(), onStart, onStop, reply_to, thread, files, type, data } = this.options;
    signal?.throwIfAborted();
    const cancel = () => this.end({ state: 'cancelled' });
    const forget = onStop?.((stop) => this.takeStop(stop));
    signal?.addEventListener('abort', cancel);
    try {
      const given = Object.entries({ reply_to, thread, files, type, data });
      const references = Object.fromEntries(given.filter(([, value]) => value !== undefined));
      const message = await this.retry(() => this.api.beginStreaming(this.conversation, clientId, references));
      this.seq = message.seq;
      onStart?.(message);
      if (this.stops.has(message.seq)) cancel();
      void this.read(source);
      const finished = await this.sendAll();
      if (this.thrown) throw this.thrown.error;
      return finished;
    } finally {
      this.end({ state: 'failed' });
      forget?.();
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Read the source until it ends, throws, or the message has ended. */
  private async read(source: TextSource): Promise<void> {
    try {
      const iterator = source[Symbol.asyncIterator]();
      while (!this.ending) {
        const next = await this.interruptible(iterator.next());
        if (next?.done) this.end({ state: 'complete', ...(next.value && { data: next.value }) });
        else if (next) await this.take(next.value);
        else void Promise.resolve(iterator.return?.()).catch(() => undefined);
      }
    } catch (error) {
      this.thrown = { error };
      this.end({ state: 'failed' });
    }
  }

  /** Wait for a promise, or for the end of the message: then return undefined. */
  private interruptible<T>(promise: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.interrupt = () => resolve(undefined);
      promise.then(resolve, reject);
      if (this.ending) this.interrupt();
    });
  }

  /** Queue a piece of text, and wait until there is room for the next one. */
  private async take(piece: string): Promise<void> {
    this.pending += piece;
    this.wake();
    while (this.pending.length > PENDING_MOST && !this.ending)
      await new Promise<void>((resolve) => (this.makeRoom = resolve));
  }

  private takeStop({ conversation, seq }: Stop): void {
    if (conversation !== this.conversation) return;
    this.stops.add(seq);
    if (seq === this.seq) this.end({ state: 'cancelled' });
  }

  /** End the message. The first reason counts. */
  private end(ending: { state: Ending; data?: Data }): void {
    this.ending ??= ending;
    this.interrupt();
    this.makeRoom();
    this.wake();
  }

  /** Send text until the message has ended, then finish it. Return it as the server has it. */
  private async sendAll(): Promise<Message> {
    try {
      for (let piece = await this.nextPiece(); piece !== null; piece = await this.nextPiece()) await this.append(piece);
      const { state, data } = this.ending ?? { state: 'failed' };
      return await this.retry(() => this.api.finish(this.conversation, this.seq, state, data));
    } catch (error) {
      this.end({ state: 'failed' });
      if (!(error instanceof Problem)) throw error;
      // another client or the server has ended it
      if (error.code === 'finished') return this.retry(() => this.api.message(this.conversation, this.seq));
      await this.api.finish(this.conversation, this.seq, 'failed').catch(() => undefined);
      throw error;
    }
  }

  /**
   * Wait for text and take as much as one append may have. Return null at the end, and an empty text after a silence: the
   * server ends a message whose author is not heard of.
   */
  private async nextPiece(): Promise<string | null> {
    for (;;) {
      let end = Math.min(this.pending.length, APPEND_MOST);
      // the second half of a character may come with the next piece
      if (isHighSurrogate(this.pending, end - 1) && !(this.ending && end === this.pending.length)) end -= 1;
      if (end > 0) {
        const piece = wellFormed(this.pending.slice(0, end));
        this.pending = this.pending.slice(end);
        this.makeRoom();
        return piece;
      }
      if (this.ending) return null;
      if (!(await this.isWoken())) return '';
    }
  }

  /** Wait for text or the end; return false after a silence. */
  private isWoken(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), this.options.silence ?? SILENCE);
      this.wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  private async append(piece: string): Promise<void> {
    try {
      await this.retry(() => this.api.append(this.conversation, this.seq, this.length, piece));
      this.sent.push(piece);
      this.length += codePoints(piece);
    } catch (error) {
      const length = error instanceof Problem && error.code === 'gap' ? Number(error.document['length']) : NaN;
      if (!(length < this.length)) throw error;
      this.continueAt(length, piece);
    }
  }

  /** Send everything after the server's length again. */
  private continueAt(length: number, piece: string): void {
    const text = this.sent.join('') + piece;
    const missing = withoutFirst(text, length);
    this.sent = [text.slice(0, text.length - missing.length)];
    this.length = length;
    this.pending = missing + this.pending;
  }

  /** Make a call until the server has answered. */
  private async retry<T>(call: () => Promise<T>): Promise<T> {
    const { backoff = BACKOFF, random = Math.random } = this.options;
    for (let failures = 0; ; failures++) {
      try {
        return await call();
      } catch (error) {
        const problem = asProblem(error);
        const last = this.ending?.state === 'cancelled' && failures >= LAST_TRIES;
        if (!(error instanceof Problem) || !problem.temporary || last) throw error;
        const wait = delay(failures, backoff, random(), problem.retryAfter);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }
}

const isHighSurrogate = (text: string, at: number) => /[\ud800-\udbff]/.test(text[at] ?? '');

/** Replace halves of characters: the server rejects them. */
export function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}
