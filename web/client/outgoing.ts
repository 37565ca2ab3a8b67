/** A message on its way, and where such messages wait. */
import type { ProblemFields } from './problem';
import type { Id, Message, References } from './types';

export interface Outgoing extends References {
  clientId: string;
  conversation: Id;
  body: string;
  createdAt: string;
  /**
   * `sending` now or soon, `waiting` for the server to be reachable again, `failed` until retried or
   * discarded, `sent` when the server has it and the stream has not brought it yet: only the stream knows
   * what comes before it.
   */
  state: 'sending' | 'waiting' | 'failed' | 'sent';
  /** Why it failed. */
  problem?: ProblemFields;
}

/** An outbox of one's own, or one that all tabs of a browser share. */
export interface MessageQueue {
  /** Takes up what an earlier page load could not send. */
  start(): void;
  stop(): void;
  /** Tries again at once what waits. */
  wake(): void;
  /** Queues a message and begins to send it. */
  send(conversation: Id, body: string, references?: References): Outgoing;
  /** Tries a failed one again, behind those already queued. */
  retry(clientId: string): void;
  discard(clientId: string): void;
  /** The stream or a page brought these messages: they are sent, whatever became of the answers. */
  settle(messages: Pick<Message, 'client_id'>[]): void;
}

/** Where messages are kept until they are sent, whatever becomes of the page. */
export interface OutboxStorage {
  /** In the order in which they are to be sent. */
  loadAll(): Promise<Outgoing[]>;
  /** Behind all others, or, when it is there already, in its place. */
  put(outgoing: Outgoing): void;
  drop(clientId: string): void;
}

export function newOutgoing(conversation: Id, body: string, references: References = {}): Outgoing {
  const createdAt = new Date().toISOString();
  return { clientId: newClientId(), conversation, body, createdAt, state: 'sending', ...references };
}

/** What it points at, and nothing else of it. */
export function referencesOf({ reply_to, thread, files }: References): References {
  return {
    ...(reply_to !== undefined && { reply_to }),
    ...(thread !== undefined && { thread }),
    ...(files !== undefined && { files }),
  };
}

/**
 * 128 random bits, URL-safe; `crypto.randomUUID` exists only in secure contexts, this also works over plain
 * HTTP.
 */
export function newClientId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
