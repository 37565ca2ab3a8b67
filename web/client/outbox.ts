/**
 * The queue of messages to send. Each message has a `client_id` made in the client, so that sending it again is
 * harmless. Each conversation's messages are sent one after the other, in order. Temporary failures (no connection,
 * 429, 503) are retried. After any other error the message waits for the user.
 */
import { type Backoff, delay } from './backoff';
import { type MessageQueue, newOutgoing, type Outgoing, type OutboxStorage, referencesOf } from './outgoing';
import { fieldsOf, Problem, unreachable } from './problem';
import type { Id, Message, References } from './types';

export interface OutboxOptions {
  post(conversation: Id, body: string, clientId: string, references: References): Promise<Message>;
  onChange(all: Outgoing[]): void;
  /** Called when the session has ended. All messages wait for `wake`. */
  onUnauthorized?(): void;
  /** Storage that outlives the page; without it, messages last as long as the page. */
  storage?: OutboxStorage | undefined;
  backoff?: Backoff;
  random?(): number;
}

const BACKOFF: Backoff = { first: 1_000, most: 20_000 };

export class Outbox implements MessageQueue {
  private all: Outgoing[] = [];
  private readonly busy = new Set<Id>();
  private readonly waits = new Set<() => void>();
  /** `client_id`s that the stream brought, possibly before their messages were added. */
  private readonly settled = new Set<string>();
  private stopped = false;

  constructor(private readonly options: OutboxOptions) {}

  start(): void {
    this.stopped = false;
    void this.options.storage?.loadAll().then((stored) => this.restore(stored));
  }

  stop(): void {
    this.stopped = true;
    for (const endWait of this.waits) endWait();
  }

  wake(): void {
    for (const endWait of this.waits) endWait();
    for (const { conversation } of this.all) void this.sendQueue(conversation);
  }

  send(conversation: Id, body: string, references?: References): Outgoing {
    const one = newOutgoing(conversation, body, references);
    this.options.storage?.put(one);
    this.add(one);
    return one;
  }

  /** Add a message that is already stored: written in another tab, or taken over from it. */
  add(one: Outgoing): void {
    if (this.settled.has(one.clientId) || this.find(one.clientId)) return;
    const state = this.firstOf(one.conversation)?.state ?? 'sending';
    this.update([...this.all, { ...one, state }]);
    void this.sendQueue(one.conversation);
  }

  retry(clientId: string): void {
    const one = this.find(clientId);
    if (one?.state !== 'failed') return;
    const { problem: _, ...rest } = one;
    const again: Outgoing = { ...rest, state: 'sending' };
    this.options.storage?.drop(clientId);
    this.options.storage?.put(again);
    this.update([...this.all.filter((other) => other !== one), again]);
    void this.sendQueue(one.conversation);
  }

  discard(clientId: string): void {
    if (this.find(clientId)?.state !== 'failed') return;
    this.options.storage?.drop(clientId);
    this.update(this.all.filter((one) => one.clientId !== clientId));
  }

  settle(messages: Pick<Message, 'client_id'>[]): void {
    for (const { client_id } of messages) this.settled.add(client_id);
    const left = this.all.filter((one) => !this.settled.has(one.clientId));
    if (left.length === this.all.length) return;
    for (const one of this.all) if (this.settled.has(one.clientId)) this.options.storage?.drop(one.clientId);
    this.update(left);
  }

  /** Queue stored messages before those written since. */
  private restore(stored: Outgoing[]): void {
    const fresh = stored.filter((one) => !this.find(one.clientId) && !this.settled.has(one.clientId));
    if (!fresh.length || this.stopped) return;
    const waiting = fresh.map((one): Outgoing => (one.state === 'failed' ? one : { ...one, state: 'waiting' }));
    this.update([...waiting, ...this.all]);
    this.wake();
  }

  /** Send one conversation's queue to its end. At most one such loop runs for each conversation. */
  private async sendQueue(conversation: Id): Promise<void> {
    if (this.busy.has(conversation)) return;
    this.busy.add(conversation);
    let failures = 0;
    for (let one = this.firstOf(conversation); one && !this.stopped; one = this.firstOf(conversation)) {
      const problem = await this.attempt(one);
      if (!problem) failures = 0;
      else if (problem.status === 401) break;
      else if (problem.temporary)
        await this.wait(delay(failures++, this.options.backoff ?? BACKOFF, this.random(), problem.retryAfter));
    }
    this.busy.delete(conversation);
  }

  private async attempt(one: Outgoing): Promise<Problem | null> {
    try {
      await this.options.post(one.conversation, one.body, one.clientId, referencesOf(one));
      this.options.storage?.drop(one.clientId);
      this.change(one.clientId, { state: 'sent' });
      return null;
    } catch (error) {
      const problem = error instanceof Problem ? error : unreachable();
      if (problem.temporary || problem.status === 401) this.markWaiting(one.conversation);
      else this.fail(one, problem);
      if (problem.status === 401) this.options.onUnauthorized?.();
      return problem;
    }
  }

  private fail(one: Outgoing, problem: Problem): void {
    const change = { state: 'failed' as const, problem: fieldsOf(problem) };
    this.options.storage?.put({ ...one, ...change });
    this.change(one.clientId, change);
  }

  private find(clientId: string): Outgoing | undefined {
    return this.all.find((one) => one.clientId === clientId);
  }

  private firstOf(conversation: Id): Outgoing | undefined {
    return this.all.find(
      (one) => one.conversation === conversation && (one.state === 'sending' || one.state === 'waiting'),
    );
  }

  /** Mark all of a conversation's queue as waiting. */
  private markWaiting(conversation: Id): void {
    const isQueued = (one: Outgoing) => one.conversation === conversation && one.state === 'sending';
    this.update(this.all.map((one) => (isQueued(one) ? { ...one, state: 'waiting' } : one)));
  }

  private change(clientId: string, change: Partial<Outgoing>): void {
    this.update(this.all.map((one) => (one.clientId === clientId ? { ...one, ...change } : one)));
  }

  private update(all: Outgoing[]): void {
    this.all = all;
    this.options.onChange(all);
  }

  private random(): number {
    return (this.options.random ?? Math.random)();
  }

  private wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const endWait = () => {
        clearTimeout(timer);
        this.waits.delete(endWait);
        resolve();
      };
      const timer = setTimeout(endWait, milliseconds);
      this.waits.add(endWait);
    });
  }
}
