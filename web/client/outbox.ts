/**
 * Messages on their way. Each has a `client_id` made here, so that sending it again is harmless; per
 * conversation they go one after the other, in order. What may pass (no connection, 429, 503) is tried again;
 * a refusal waits for the person.
 */
import { type Backoff, delay } from './backoff';
import { type Keep, newOutgoing, type Out, type Outgoing, referencesOf } from './outgoing';
import { fieldsOf, Problem, unreachable } from './problem';
import type { Id, Message, References } from './types';

export interface OutboxOptions {
  post(conversation: Id, body: string, clientId: string, references: References): Promise<Message>;
  changed(all: Outgoing[]): void;
  /** Nobody is logged in any more; all waits for `wake`. */
  refused?(): void;
  /** Where they are kept over page loads; without it, they last as long as the page. */
  keep?: Keep | undefined;
  backoff?: Backoff;
  random?(): number;
}

const BACKOFF: Backoff = { first: 1_000, most: 20_000 };

export class Outbox implements Out {
  private all: Outgoing[] = [];
  private readonly busy = new Set<Id>();
  private readonly resting = new Set<() => void>();
  /** Brought by the stream, perhaps before they were taken up here. */
  private readonly settled = new Set<string>();
  private stopped = false;

  constructor(private readonly options: OutboxOptions) {}

  start(): void {
    this.stopped = false;
    void this.options.keep?.all().then((kept) => this.takeUp(kept));
  }

  stop(): void {
    this.stopped = true;
    for (const goOn of this.resting) goOn();
  }

  wake(): void {
    for (const goOn of this.resting) goOn();
    for (const { conversation } of this.all) void this.work(conversation);
  }

  send(conversation: Id, body: string, references?: References): Outgoing {
    const one = newOutgoing(conversation, body, references);
    this.options.keep?.put(one);
    this.take(one);
    return one;
  }

  /** A message that is kept already: written in another tab, or taken over from it. */
  take(one: Outgoing): void {
    if (this.settled.has(one.clientId) || this.find(one.clientId)) return;
    const state = this.head(one.conversation)?.state ?? 'sending';
    this.become([...this.all, { ...one, state }]);
    void this.work(one.conversation);
  }

  retry(clientId: string): void {
    const one = this.find(clientId);
    if (one?.state !== 'failed') return;
    const { problem: _, ...rest } = one;
    const again: Outgoing = { ...rest, state: 'sending' };
    this.options.keep?.drop(clientId);
    this.options.keep?.put(again);
    this.become([...this.all.filter((other) => other !== one), again]);
    void this.work(one.conversation);
  }

  discard(clientId: string): void {
    if (this.find(clientId)?.state !== 'failed') return;
    this.options.keep?.drop(clientId);
    this.become(this.all.filter((one) => one.clientId !== clientId));
  }

  settle(messages: Pick<Message, 'client_id'>[]): void {
    for (const { client_id } of messages) this.settled.add(client_id);
    const left = this.all.filter((one) => !this.settled.has(one.clientId));
    if (left.length === this.all.length) return;
    for (const one of this.all) if (this.settled.has(one.clientId)) this.options.keep?.drop(one.clientId);
    this.become(left);
  }

  /** What was kept goes before what was written since. */
  private takeUp(kept: Outgoing[]): void {
    const fresh = kept.filter((one) => !this.find(one.clientId) && !this.settled.has(one.clientId));
    if (!fresh.length || this.stopped) return;
    const waiting = fresh.map((one): Outgoing => (one.state === 'failed' ? one : { ...one, state: 'waiting' }));
    this.become([...waiting, ...this.all]);
    this.wake();
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
      this.options.keep?.drop(one.clientId);
      this.mark(one.clientId, { state: 'sent' });
      return null;
    } catch (error) {
      const problem = error instanceof Problem ? error : unreachable();
      if (problem.passing || problem.status === 401) this.hold(one.conversation);
      else this.fail(one, problem);
      if (problem.status === 401) this.options.refused?.();
      return problem;
    }
  }

  private fail(one: Outgoing, problem: Problem): void {
    const change = { state: 'failed' as const, problem: fieldsOf(problem) };
    this.options.keep?.put({ ...one, ...change });
    this.mark(one.clientId, change);
  }

  private find(clientId: string): Outgoing | undefined {
    return this.all.find((one) => one.clientId === clientId);
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
