/**
 * One outbox for all tabs. The leader sends, so that messages written in several tabs go in one order, each once.
 * Another tab stores its message before it publishes it, and publishes it again to the next leader, so that no
 * message is lost between the two.
 */
import { Outbox, type OutboxOptions } from '../outbox';
import { newOutgoing, type MessageQueue, type Outgoing } from '../outgoing';
import type { Id, Message, References } from '../types';
import type { Tabs } from './tabs';

export class SharedOutbox implements MessageQueue {
  private outbox: Outbox | null = null;
  /** The leader's last list, and messages written here that it does not contain yet. */
  private published: Outgoing[] = [];
  private unconfirmed: Outgoing[] = [];
  private readonly settled = new Set<string>();
  private running = false;
  private scheduled = false;

  constructor(
    private readonly tabs: Tabs,
    private readonly options: OutboxOptions,
  ) {
    tabs.onRole((leads) => this.running && this.setRole(leads));
    tabs.on('hello', () => this.outbox && this.publish());
    tabs.on('lead', () => this.unconfirmed.forEach((one) => tabs.send('send', one)));
    tabs.on('outbox', (all) => this.takePublished(all));
    tabs.on('send', (one) => this.outbox?.add(one));
    tabs.on('retry', (clientId) => this.outbox?.retry(clientId));
    tabs.on('discard', (clientId) => this.outbox?.discard(clientId));
    tabs.on('wake', () => this.outbox?.wake());
  }

  start(): void {
    this.running = true;
    this.tabs.start();
    if (this.tabs.leads) this.setRole(true);
  }

  stop(): void {
    this.running = false;
    this.setRole(false);
  }

  wake(): void {
    this.outbox?.wake();
  }

  send(conversation: Id, body: string, references?: References): Outgoing {
    if (this.outbox) return this.outbox.send(conversation, body, references);
    const one = newOutgoing(conversation, body, references);
    this.options.storage?.put(one);
    this.unconfirmed = [...this.unconfirmed, one];
    this.show();
    this.tabs.send('send', one);
    this.tabs.checkLeader();
    return one;
  }

  retry(clientId: string): void {
    if (this.outbox) this.outbox.retry(clientId);
    else this.tabs.send('retry', clientId);
  }

  discard(clientId: string): void {
    if (this.outbox) this.outbox.discard(clientId);
    else this.tabs.send('discard', clientId);
  }

  settle(messages: Pick<Message, 'client_id'>[]): void {
    for (const { client_id } of messages) this.settled.add(client_id);
    if (this.outbox) this.outbox.settle(messages);
    else this.show();
  }

  private setRole(leads: boolean): void {
    this.outbox?.stop();
    this.outbox = null;
    if (!leads) return;
    this.outbox = new Outbox({ ...this.options, onChange: (all) => this.onLeaderChange(all) });
    this.outbox.settle([...this.settled].map((client_id) => ({ client_id })));
    this.outbox.start();
    // the last leader may have sent some of these, which is harmless; failed ones are stored with their problem
    for (const one of [...this.published, ...this.unconfirmed]) if (one.state !== 'failed') this.outbox.add(one);
    this.unconfirmed = [];
  }

  private onLeaderChange(all: Outgoing[]): void {
    this.published = all;
    this.show();
    if (this.scheduled) return;
    // publish after the entries that caused the change: a tab must not see a message leave before it arrives
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.publish();
    });
  }

  private publish(): void {
    this.tabs.send('outbox', this.published);
  }

  private takePublished(all: Outgoing[]): void {
    if (this.outbox) return;
    this.published = all;
    const known = new Set(all.map((one) => one.clientId));
    this.unconfirmed = this.unconfirmed.filter((one) => !known.has(one.clientId));
    this.show();
  }

  private show(): void {
    const unsettled = (one: Outgoing) => !this.settled.has(one.clientId);
    this.options.onChange([...this.published, ...this.unconfirmed].filter(unsettled));
  }
}
