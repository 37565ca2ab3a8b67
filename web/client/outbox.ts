/**
 * Messages on their way. Each has a `client_id` made here, so that sending it again is harmless; per
 * conversation they go one after the other, in order. What may pass (no connection, 429, 503) is tried again;
 * a refusal waits for the person.
 */
import { type Backoff, delay } from './backoff';
import { Problem, unreachable } from './problem';
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
  problem?: Problem;
}

export interface OutboxOptions {
  post(conversation: Id, body: string, clientId: string, references: References): Promise<Message>;
  changed(all: Outgoing[]): void;
  /** Nobody is logged in any more; all waits for `wake`. */
  refused?(): void;
  backoff?: Backoff;
  random?(): number;
}

const BACKOFF: Backoff = { first: 1_000, most: 20_000 };

export class Outbox {
  private all: Outgoing[];
  private readonly busy = new Set<Id>();
  private readonly resting = new Set<() => void>();
  private stopped = false;

  /** `kept` is what an earlier page load could not send. */
  constructor(
    private readonly options: OutboxOptions,
    kept: Outgoing[] = [],
  ) {
    this.all = kept.map((one) => (one.state === 'failed' ? one : { ...one, state: 'waiting' }));
    for (const { conversation } of this.all) void this.work(conversation);
  }

  /** Queues a message and begins to send it. */
  send(conversation: Id, body: string, references: References = {}): Outgoing {
    const createdAt = new Date().toISOString();
    const state = this.head(conversation)?.state ?? 'sending';
    const one: Outgoing = { clientId: newClientId(), conversation, body, createdAt, state, ...references };
    this.become([...this.all, one]);
    void this.work(conversation);
    return one;
  }

  /** Tries a failed one again, behind those already queued. */
  retry(clientId: string): void {
    const one = this.all.find((other) => other.clientId === clientId && other.state === 'failed');
    if (!one) return;
    const { problem: _, ...rest } = one;
    this.become([...this.all.filter((other) => other !== one), { ...rest, state: 'sending' }]);
    void this.work(one.conversation);
  }

  discard(clientId: string): void {
    this.become(this.all.filter((one) => one.clientId !== clientId || one.state !== 'failed'));
  }

  /** The stream or a page brought these messages: they are sent, whatever became of the answers. */
  settle(messages: Message[]): void {
    if (!this.all.length) return;
    const arrived = new Set(messages.map((message) => message.client_id));
    const left = this.all.filter((one) => !arrived.has(one.clientId));
    if (left.length < this.all.length) this.become(left);
  }

  /** Tries again at once what waits. */
  wake(): void {
    for (const goOn of this.resting) goOn();
    for (const { conversation } of this.all) void this.work(conversation);
  }

  stop(): void {
    this.stopped = true;
    for (const goOn of this.resting) goOn();
  }

  /** Sends one conversation's queue to its end; there is one such worker a conversation. */
  private async work(conversation: Id): Promise<void> {
    if (this.busy.has(conversation)) return;
    this.busy.add(conversation);
    let failures = 0;
    for (let one = this.head(conversation); one && !this.stopped; one = this.head(conversation)) {
      const problem = await this.attempt(one);
      if (!problem) failures = 0;
      else if (problem.status === 401) break;
      else if (problem.passing)
        await this.rest(delay(failures++, this.options.backoff ?? BACKOFF, this.random(), problem.retryAfter));
    }
    this.busy.delete(conversation);
  }

  private async attempt(one: Outgoing): Promise<Problem | null> {
    try {
      await this.options.post(one.conversation, one.body, one.clientId, referencesOf(one));
      this.mark(one.clientId, { state: 'sent' });
      return null;
    } catch (error) {
      const problem = error instanceof Problem ? error : unreachable();
      if (problem.passing || problem.status === 401) this.hold(one.conversation);
      else this.mark(one.clientId, { state: 'failed', problem });
      if (problem.status === 401) this.options.refused?.();
      return problem;
    }
  }

  private head(conversation: Id): Outgoing | undefined {
    return this.all.find(
      (one) => one.conversation === conversation && (one.state === 'sending' || one.state === 'waiting'),
    );
  }

  /** All of a conversation's queue waits for its head. */
  private hold(conversation: Id): void {
    const waits = (one: Outgoing) => one.conversation === conversation && one.state === 'sending';
    this.become(this.all.map((one) => (waits(one) ? { ...one, state: 'waiting' } : one)));
  }

  private mark(clientId: string, change: Partial<Outgoing>): void {
    this.become(this.all.map((one) => (one.clientId === clientId ? { ...one, ...change } : one)));
  }

  private become(all: Outgoing[]): void {
    this.all = all;
    this.options.changed(all);
  }

  private random(): number {
    return (this.options.random ?? Math.random)();
  }

  private rest(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const goOn = () => {
        clearTimeout(timer);
        this.resting.delete(goOn);
        resolve();
      };
      const timer = setTimeout(goOn, milliseconds);
      this.resting.add(goOn);
    });
  }
}

/** What it points at, and nothing else of it. */
function referencesOf({ reply_to, thread, files }: References): References {
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
