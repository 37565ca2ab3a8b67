/**
 * One outbox for all tabs: the leader sends, so that what was written in several tabs goes in one order, and
 * each message once. What another tab writes is kept by that tab before it is told, and told again to the next
 * leader: a message cannot get lost between the two.
 */
import { Outbox, type OutboxOptions } from '../outbox';
import { newOutgoing, type Out, type Outgoing } from '../outgoing';
import type { Id, Message, References } from '../types';
import type { Tabs } from './tabs';

export class SharedOutbox implements Out {
  private outbox: Outbox | null = null;
  /** What the leader told last, and what it has not told yet of what was written here. */
  private told: Outgoing[] = [];
  private untold: Outgoing[] = [];
  private readonly settled = new Set<string>();
  private running = false;
  private telling = false;

  constructor(
    private readonly tabs: Tabs,
    private readonly options: OutboxOptions,
  ) {
    tabs.onRole((leads) => this.running && this.turn(leads));
    tabs.on('hello', () => this.outbox && this.tell());
    tabs.on('lead', () => this.untold.forEach((one) => tabs.tell('send', one)));
    tabs.on('outbox', (all) => this.hear(all));
    tabs.on('send', (one) => this.outbox?.take(one));
    tabs.on('retry', (clientId) => this.outbox?.retry(clientId));
    tabs.on('discard', (clientId) => this.outbox?.discard(clientId));
    tabs.on('wake', () => this.outbox?.wake());
  }

  start(): void {
    this.running = true;
    this.tabs.start();
    if (this.tabs.leads) this.turn(true);
  }

  stop(): void {
    this.running = false;
    this.turn(false);
  }

  wake(): void {
    this.outbox?.wake();
  }

  send(conversation: Id, body: string, references?: References): Outgoing {
    if (this.outbox) return this.outbox.send(conversation, body, references);
    const one = newOutgoing(conversation, body, references);
    this.options.keep?.put(one);
    this.untold = [...this.untold, one];
    this.show();
    this.tabs.tell('send', one);
    this.tabs.doubt();
    return one;
  }

  retry(clientId: string): void {
    if (this.outbox) this.outbox.retry(clientId);
    else this.tabs.tell('retry', clientId);
  }

  discard(clientId: string): void {
    if (this.outbox) this.outbox.discard(clientId);
    else this.tabs.tell('discard', clientId);
  }

  settle(messages: Pick<Message, 'client_id'>[]): void {
    for (const { client_id } of messages) this.settled.add(client_id);
    if (this.outbox) this.outbox.settle(messages);
    else this.show();
  }

  private turn(leads: boolean): void {
    this.outbox?.stop();
    this.outbox = null;
    if (!leads) return;
    this.outbox = new Outbox({ ...this.options, changed: (all) => this.lead(all) });
    this.outbox.settle([...this.settled].map((client_id) => ({ client_id })));
    this.outbox.start();
    // the last leader may have sent some of these: that is harmless; those that failed are kept, with the reason
    for (const one of [...this.told, ...this.untold]) if (one.state !== 'failed') this.outbox.take(one);
    this.untold = [];
  }

  private lead(all: Outgoing[]): void {
    this.told = all;
    this.show();
    if (this.telling) return;
    // behind the entries that changed it: no tab may see a message go before it sees it come
    this.telling = true;
    queueMicrotask(() => {
      this.telling = false;
      this.tell();
    });
  }

  private tell(): void {
    this.tabs.tell('outbox', this.told);
  }

  private hear(all: Outgoing[]): void {
    if (this.outbox) return;
    this.told = all;
    const known = new Set(all.map((one) => one.clientId));
    this.untold = this.untold.filter((one) => !known.has(one.clientId));
    this.show();
  }

  private show(): void {
    const unsettled = (one: Outgoing) => !this.settled.has(one.clientId);
    this.options.changed([...this.told, ...this.untold].filter(unsettled));
  }
}
