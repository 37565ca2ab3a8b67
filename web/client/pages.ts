/**
 * What is read as it is needed: pages of conversations and threads, pins, receipts, single messages. Entries
 * keep it true from then on.
 */
import type { Api, Where } from './api';
import { placeOf } from './message';
import * as model from './model';
import { Originals } from './message-lookup';
import type { Id, Message, Page } from './types';

export interface Shelf {
  api: Api;
  model(): model.Model;
  become(change: Partial<model.Model>): void;
  /** These people are about to be named. */
  meet(ids: Id[]): void;
  /** The server has these messages: none of them waits to be sent any more. */
  settle(messages: Message[]): void;
}

/** Pages read in a row to close the hole that entries left while a page was on its way. */
const CHASES = 5;

export class Pages {
  private readonly opening = new Map<Id, Promise<void>>();
  /** Conversations whose timeline shows what was said long ago: what is new does not move it. */
  private readonly past = new Set<Id>();
  private readonly originals: Originals;

  constructor(private readonly shelf: Shelf) {
    this.originals = new Originals(
      shelf.api,
      (conversation, seq) => model.findMessage(shelf.model(), conversation, seq) !== undefined,
      (message) => this.takeLoose([message]),
    );
  }

  /** Loads the newest messages of a conversation. */
  open(id: Id): Promise<void> {
    const loading = this.opening.get(id) ?? this.loadNewest(id).finally(() => this.opening.delete(id));
    this.opening.set(id, loading);
    return loading;
  }

  /** Loads the page before the oldest loaded message; of more than `most` the newest are forgotten. */
  async older(id: Id, most = Infinity): Promise<void> {
    const before = this.timeline(id)?.messages[0]?.seq;
    if (before === undefined) return;
    await this.load(id, { before });
    this.leave(id, most);
  }

  /** Loads the page after the newest loaded message, where that is not the newest of all. */
  async newer(id: Id, most = Infinity): Promise<void> {
    const after = this.timeline(id)?.messages.at(-1)?.seq;
    if (after !== undefined) await this.load(id, { after });
    if (!this.timeline(id)?.hasAfter) this.past.delete(id);
    this.trim(id, most);
  }

  /** Shows what was said around a message, in place of what was loaded. */
  async around(id: Id, seq: number): Promise<void> {
    const page = await this.shelf.api.messages(id, { around: seq });
    this.show(id, page);
    if (this.timeline(id)?.hasAfter) this.past.add(id);
  }

  /** Back from the past: the newest messages, in place of what was loaded. */
  async newest(id: Id): Promise<void> {
    const page = await this.shelf.api.messages(id);
    this.past.delete(id);
    this.show(id, page);
  }

  /** Forgets the oldest beyond so many; they can be paged in again. */
  trim(id: Id, most: number): void {
    this.become(model.trimOldest(this.shelf.model(), id, most));
  }

  /** Forgets the newest beyond so many, and shows the past from now on. */
  leave(id: Id, most: number): void {
    if ((this.timeline(id)?.messages.length ?? 0) <= most) return;
    this.become(model.trimNewest(this.shelf.model(), id, most));
    this.past.add(id);
  }

  /** A message came that this timeline does not reach: it is read, unless it shows the past. */
  chase(id: Id): void {
    if (this.timeline(id)?.hasAfter && !this.past.has(id)) void this.open(id).catch(() => undefined);
  }

  /** A snapshot has forgotten all timelines. */
  forget(): void {
    this.past.clear();
  }

  /** The message that a thread began with, and its newest replies. */
  async openThread(id: Id, root: number): Promise<void> {
    await this.originals.want(id, root);
    await this.loadReplies(id, root, {});
    const known = () => this.shelf.model().replies.get(placeOf(id, root));
    for (let tries = 0; tries < CHASES && known()?.hasAfter; tries++)
      await this.loadReplies(id, root, { after: known()?.messages.at(-1)?.seq ?? 0 });
  }

  async olderReplies(id: Id, root: number): Promise<void> {
    const before = this.shelf.model().replies.get(placeOf(id, root))?.messages[0]?.seq;
    if (before !== undefined) await this.loadReplies(id, root, { before });
  }

  async loadPins(id: Id): Promise<void> {
    const pins = await this.shelf.api.pins(id);
    this.become(model.takePins(this.shelf.model(), id, pins));
    this.shelf.meet(pins.flatMap((pin) => [pin.user, ...peopleIn(pin.message)]));
  }

  async loadReceipts(id: Id): Promise<void> {
    const receipts = await this.shelf.api.receipts(id);
    this.become(model.takeReceipts(this.shelf.model(), id, receipts));
  }

  /** A message that is pointed at will be known, if it can be. */
  want(id: Id, seq: number): void {
    void this.originals.want(id, seq);
  }

  private async loadNewest(id: Id): Promise<void> {
    // a page that reaches back to the first unread message, if it can
    const unread = this.shelf.model().conversations.get(id)?.unread ?? 0;
    await this.load(id, {}, Math.min(200, Math.max(50, unread + 20)));
    for (let tries = 0; tries < CHASES && this.timeline(id)?.hasAfter; tries++)
      await this.load(id, { after: this.timeline(id)?.messages.at(-1)?.seq ?? 0 });
  }

  private async load(id: Id, where: Where, limit?: number): Promise<void> {
    const page = await this.shelf.api.messages(id, where, limit);
    this.settle(page);
    this.become(model.takePage(this.shelf.model(), id, page));
  }

  private async loadReplies(id: Id, root: number, where: Where): Promise<void> {
    const page = await this.shelf.api.replies(id, root, where);
    this.settle(page);
    this.become(model.takeReplies(this.shelf.model(), id, root, page));
  }

  private show(id: Id, page: Page): void {
    this.settle(page);
    this.become(model.showPage(this.shelf.model(), id, page));
  }

  private settle({ messages }: Page): void {
    this.shelf.settle(messages);
    this.shelf.meet(messages.flatMap(peopleIn));
  }

  private takeLoose(messages: Message[]): void {
    this.become(model.takeLoose(this.shelf.model(), messages));
    this.shelf.meet(messages.flatMap(peopleIn));
  }

  private timeline(id: Id) {
    return this.shelf.model().timelines.get(id);
  }

  private become(change: Partial<model.Model>): void {
    this.shelf.become(change);
  }
}

/** Those whose names a message shows: who wrote it, whom it calls, and the first of those who react to it. */
export function peopleIn(message: Message): Id[] {
  const reacting = (message.reactions ?? []).flatMap((reaction) => reaction.users.slice(0, 12));
  return [message.author, ...(message.mentions ?? []), ...reacting];
}
