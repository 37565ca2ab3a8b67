/**
 * What is read as it is needed: pages of conversations and threads, pins, receipts, single messages. Entries
 * keep it true from then on.
 */
import type { Api, Where } from './api';
import { keyOf } from './message';
import * as model from './model';
import { MessageLookup } from './message-lookup';
import type { Id, Message, Page } from './types';

export interface StoreContext {
  api: Api;
  model(): model.Model;
  update(change: Partial<model.Model>): void;
  /** These people are about to be named. */
  loadUsers(ids: Id[]): void;
  /** The server has these messages: none of them waits to be sent any more. */
  settleOutgoing(messages: Message[]): void;
}

/** Pages read in a row to close the hole that entries left while a page was on its way. */
const MOST_CATCH_UP_PAGES = 5;

export class Pages {
  private readonly opening = new Map<Id, Promise<void>>();
  /** Conversations whose timeline shows what was said long ago: what is new does not move it. */
  private readonly past = new Set<Id>();
  private readonly messageLookup: MessageLookup;

  constructor(private readonly context: StoreContext) {
    this.messageLookup = new MessageLookup(
      context.api,
      (conversation, seq) => model.findMessage(context.model(), conversation, seq) !== undefined,
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
    this.trimNewest(id, most);
  }

  /** Loads the page after the newest loaded message, where that is not the newest of all. */
  async newer(id: Id, most = Infinity): Promise<void> {
    const after = this.timeline(id)?.messages.at(-1)?.seq;
    if (after !== undefined) await this.load(id, { after });
    if (!this.timeline(id)?.hasAfter) this.past.delete(id);
    this.trimOldest(id, most);
  }

  /** Shows what was said around a message, in place of what was loaded. */
  async around(id: Id, seq: number): Promise<void> {
    const page = await this.context.api.messages(id, { around: seq });
    this.show(id, page);
    if (this.timeline(id)?.hasAfter) this.past.add(id);
  }

  /** Back from the past: the newest messages, in place of what was loaded. */
  async newest(id: Id): Promise<void> {
    const page = await this.context.api.messages(id);
    this.past.delete(id);
    this.show(id, page);
  }

  /** Forgets the oldest beyond so many; they can be paged in again. */
  trimOldest(id: Id, most: number): void {
    this.update(model.trimOldest(this.context.model(), id, most));
  }

  /** Forgets the newest beyond so many, and shows the past from now on. */
  trimNewest(id: Id, most: number): void {
    if ((this.timeline(id)?.messages.length ?? 0) <= most) return;
    this.update(model.trimNewest(this.context.model(), id, most));
    this.past.add(id);
  }

  /** A message came that this timeline does not reach: it is read, unless it shows the past. */
  catchUp(id: Id): void {
    if (this.timeline(id)?.hasAfter && !this.past.has(id)) void this.open(id).catch(() => undefined);
  }

  /** A snapshot has forgotten all timelines. */
  reset(): void {
    this.past.clear();
  }

  /** The message that a thread began with, and its newest replies. */
  async openThread(id: Id, root: number): Promise<void> {
    await this.messageLookup.load(id, root);
    await this.loadReplies(id, root, {});
    const known = () => this.context.model().replies.get(keyOf(id, root));
    for (let tries = 0; tries < MOST_CATCH_UP_PAGES && known()?.hasAfter; tries++)
      await this.loadReplies(id, root, { after: known()?.messages.at(-1)?.seq ?? 0 });
  }

  async olderReplies(id: Id, root: number): Promise<void> {
    const before = this.context.model().replies.get(keyOf(id, root))?.messages[0]?.seq;
    if (before !== undefined) await this.loadReplies(id, root, { before });
  }

  async loadPins(id: Id): Promise<void> {
    const pins = await this.context.api.pins(id);
    this.update(model.takePins(this.context.model(), id, pins));
    this.context.loadUsers(pins.flatMap((pin) => [pin.user, ...usersIn(pin.message)]));
  }

  async loadReceipts(id: Id): Promise<void> {
    const receipts = await this.context.api.receipts(id);
    this.update(model.takeReceipts(this.context.model(), id, receipts));
  }

  /** A message that is pointed at will be known, if it can be. */
  loadMessage(id: Id, seq: number): void {
    void this.messageLookup.load(id, seq);
  }

  private async loadNewest(id: Id): Promise<void> {
    // a page that reaches back to the first unread message, if it can
    const unread = this.context.model().conversations.get(id)?.unread ?? 0;
    await this.load(id, {}, Math.min(200, Math.max(50, unread + 20)));
    for (let tries = 0; tries < MOST_CATCH_UP_PAGES && this.timeline(id)?.hasAfter; tries++)
      await this.load(id, { after: this.timeline(id)?.messages.at(-1)?.seq ?? 0 });
  }

  private async load(id: Id, where: Where, limit?: number): Promise<void> {
    const page = await this.context.api.messages(id, where, limit);
    this.takeAuthors(page);
    this.update(model.takePage(this.context.model(), id, page));
  }

  private async loadReplies(id: Id, root: number, where: Where): Promise<void> {
    const page = await this.context.api.replies(id, root, where);
    this.takeAuthors(page);
    this.update(model.takeReplies(this.context.model(), id, root, page));
  }

  private show(id: Id, page: Page): void {
    this.takeAuthors(page);
    this.update(model.showPage(this.context.model(), id, page));
  }

  private takeAuthors({ messages }: Page): void {
    this.context.settleOutgoing(messages);
    this.context.loadUsers(messages.flatMap(usersIn));
  }

  private takeLoose(messages: Message[]): void {
    this.update(model.takeLoose(this.context.model(), messages));
    this.context.loadUsers(messages.flatMap(usersIn));
  }

  private timeline(id: Id) {
    return this.context.model().timelines.get(id);
  }

  private update(change: Partial<model.Model>): void {
    this.context.update(change);
  }
}

/** Those whose names a message shows: who wrote it, whom it calls, and the first of those who react to it. */
export function usersIn(message: Message): Id[] {
  const reacting = (message.reactions ?? []).flatMap((reaction) => reaction.users.slice(0, 12));
  return [message.author, ...(message.mentions ?? []), ...reacting];
}
