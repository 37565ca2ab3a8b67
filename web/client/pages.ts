/**
 * Data loaded on demand: pages of conversations and threads, pins, receipts, single messages. Entries keep it up to
 * date afterwards.
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
  /** Load these users if they are unknown: their names are about to be shown. */
  loadUsers(ids: Id[]): void;
  /** Complete these messages: entries for their text may have arrived before them. */
  completeText(messages: Message[]): void;
  /** Remove these messages from the outbox: the server has them. */
  settleOutgoing(messages: Message[]): void;
}

/** The most pages loaded in a row to close a hole. Entries that arrive while a page loads leave one. */
const MOST_CATCH_UP_PAGES = 5;

export class Pages {
  private readonly opening = new Map<Id, Promise<void>>();
  /** Conversations whose timeline shows old messages. New messages do not move it. */
  private readonly past = new Set<Id>();
  private readonly messageLookup: MessageLookup;

  constructor(private readonly context: StoreContext) {
    this.messageLookup = new MessageLookup(
      context.api,
      (conversation, seq) => model.findMessage(context.model(), conversation, seq) !== undefined,
      (message) => this.takeLoose([message]),
    );
  }

  /** Load the newest messages of a conversation. */
  open(id: Id): Promise<void> {
    const loading = this.opening.get(id) ?? this.loadNewest(id).finally(() => this.opening.delete(id));
    this.opening.set(id, loading);
    return loading;
  }

  /** Load the page before the oldest loaded message. Above `most` messages, drop the newest. */
  async older(id: Id, most = Infinity): Promise<void> {
    const before = this.timeline(id)?.messages[0]?.seq;
    if (before === undefined) return;
    await this.load(id, { before });
    this.trimNewest(id, most);
  }

  /** Load the page after the newest loaded message, if there are newer ones. */
  async newer(id: Id, most = Infinity): Promise<void> {
    const after = this.timeline(id)?.messages.at(-1)?.seq;
    if (after !== undefined) await this.load(id, { after });
    if (!this.timeline(id)?.hasAfter) this.past.delete(id);
    this.trimOldest(id, most);
  }

  /** Show the messages around one message, instead of the loaded timeline. */
  async around(id: Id, seq: number): Promise<void> {
    const page = await this.context.api.messages(id, { around: seq });
    this.show(id, page);
    if (this.timeline(id)?.hasAfter) this.past.add(id);
  }

  /** Show the newest messages, instead of the loaded timeline. */
  async newest(id: Id): Promise<void> {
    const page = await this.context.api.messages(id);
    this.past.delete(id);
    this.show(id, page);
  }

  /** Drop the oldest messages above `most`. They can be loaded again. */
  trimOldest(id: Id, most: number): void {
    this.update(model.trimOldest(this.context.model(), id, most));
  }

  /** Drop the newest messages above `most`. From then on the timeline shows old messages. */
  trimNewest(id: Id, most: number): void {
    if ((this.timeline(id)?.messages.length ?? 0) <= most) return;
    this.update(model.trimNewest(this.context.model(), id, most));
    this.past.add(id);
  }

  /** Load newer messages after one arrived that the timeline does not reach, unless the timeline shows old messages. */
  catchUp(id: Id): void {
    if (this.timeline(id)?.hasAfter && !this.past.has(id)) void this.open(id).catch(() => undefined);
  }

  /** Forget which timelines show old messages: a snapshot has dropped all timelines. */
  reset(): void {
    this.past.clear();
  }

  /** Load the first message of a thread and its newest replies. */
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
    this.context.completeText(pins.map((pin) => pin.message));
    this.context.loadUsers(pins.flatMap((pin) => [pin.user, ...usersIn(pin.message)]));
  }

  async loadReceipts(id: Id): Promise<void> {
    const receipts = await this.context.api.receipts(id);
    this.update(model.takeReceipts(this.context.model(), id, receipts));
  }

  /** Load a message that another one refers to, if it exists. */
  loadMessage(id: Id, seq: number): void {
    void this.messageLookup.load(id, seq);
  }

  private async loadNewest(id: Id): Promise<void> {
    // load back to the first unread message, if one page can
    const unread = this.context.model().conversations.get(id)?.unread ?? 0;
    await this.load(id, {}, Math.min(200, Math.max(50, unread + 20)));
    for (let tries = 0; tries < MOST_CATCH_UP_PAGES && this.timeline(id)?.hasAfter; tries++)
      await this.load(id, { after: this.timeline(id)?.messages.at(-1)?.seq ?? 0 });
  }

  private async load(id: Id, where: Where, limit?: number): Promise<void> {
    const page = await this.context.api.messages(id, where, limit);
    this.takeAuthors(page);
    this.update(model.takePage(this.context.model(), id, page));
    this.context.completeText(page.messages);
  }

  private async loadReplies(id: Id, root: number, where: Where): Promise<void> {
    const page = await this.context.api.replies(id, root, where);
    this.takeAuthors(page);
    this.update(model.takeReplies(this.context.model(), id, root, page));
    this.context.completeText(page.messages);
  }

  private show(id: Id, page: Page): void {
    this.takeAuthors(page);
    this.update(model.showPage(this.context.model(), id, page));
    this.context.completeText(page.messages);
  }

  private takeAuthors({ messages }: Page): void {
    this.context.settleOutgoing(messages);
    this.context.loadUsers(messages.flatMap(usersIn));
  }

  private takeLoose(messages: Message[]): void {
    this.update(model.takeLoose(this.context.model(), messages));
    this.context.completeText(messages);
    this.context.loadUsers(messages.flatMap(usersIn));
  }

  private timeline(id: Id) {
    return this.context.model().timelines.get(id);
  }

  private update(change: Partial<model.Model>): void {
    this.context.update(change);
  }
}

/** Return the users whose names a message shows: its author, mentioned users, and the first users of each reaction. */
export function usersIn(message: Message): Id[] {
  const reacting = (message.reactions ?? []).flatMap((reaction) => reaction.users.slice(0, 12));
  return [message.author, ...(message.mentions ?? []), ...reacting];
}
