/** A message to be sent, and the interfaces of the queue and its storage. */
import type { ProblemFields } from './problem';
import type { Id, Message, References } from './types';

export interface Outgoing extends References {
  clientId: string;
  conversation: Id;
  body: string;
  createdAt: string;
  /**
   * `sending`: now or soon. `waiting`: until the server is reachable again. `failed`: until retried or discarded.
   * `sent`: the server has it, but the stream has not brought it yet. Only the stream knows which messages come
   * before it.
   */
  state: 'sending' | 'waiting' | 'failed' | 'sent';
  /** The reason of the failure. */
  problem?: ProblemFields;
}

/** A queue of messages to send: `Outbox`, or one that all tabs of a browser share. */
export interface MessageQueue {
  /** Start sending, including messages left over from an earlier page load. */
  start(): void;
  stop(): void;
  /** Retry waiting messages at once. */
  wake(): void;
  /** Queue a message and start sending it. */
  send(conversation: Id, body: string, references?: References): Outgoing;
  /** Retry a failed message, behind those already queued. */
  retry(clientId: string): void;
  discard(clientId: string): void;
  /** Remove messages that the stream or a page brought: they are sent, even if the answer was lost. */
  settle(messages: Pick<Message, 'client_id'>[]): void;
}

/** Storage for unsent messages that outlives the page. */
export interface OutboxStorage {
  /** Return the messages in the order in which they are to be sent. */
  loadAll(): Promise<Outgoing[]>;
  /** Append a message, or replace it if it is already stored. */
  put(outgoing: Outgoing): void;
  drop(clientId: string): void;
}

export function newOutgoing(conversation: Id, body: string, references: References = {}): Outgoing {
  const createdAt = new Date().toISOString();
  return { clientId: newClientId(), conversation, body, createdAt, state: 'sending', ...references };
}

/** Return only the reference fields. */
export function referencesOf({ reply_to, thread, files, type, data, forward }: References): References {
  return {
    ...(reply_to !== undefined && { reply_to }),
    ...(thread !== undefined && { thread }),
    ...(files !== undefined && { files }),
    ...(type !== undefined && { type }),
    ...(data !== undefined && { data }),
    ...(forward !== undefined && { forward }),
  };
}

/**
 * Return 128 random bits, URL-safe. `crypto.randomUUID` exists only in secure contexts; this also works over plain
 * HTTP.
 */
export function newClientId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
