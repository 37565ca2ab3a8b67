/**
 * The part of a conversation that stands in the page: a window that moves over it, a page at a time, and stays
 * of one size however long the conversation is. What it leaves behind at one end it reads again when it comes
 * back.
 *
 * All of it is real text in the page, in order: it can be selected, searched and read out, which a list that
 * draws only what is on the screen cannot offer (deploy/decisions/0038-message-window.md).
 */
import { untrack } from 'svelte';
import type { Conversation, Timeline } from '../../client';
import type { Chat } from '../chat.svelte';
import { toasts } from '../toasts.svelte';
import type { Loading } from './loading.svelte';
import type { Scroller } from './scroller.svelte';

/** Messages kept in the page while one reads back and forth, and while its end is followed. */
export const MOST = 400;
const FOLLOWED = 150;
const SLACK = 20;

export class Window {
  log: HTMLElement | null = null;
  private readonly id: number;

  constructor(
    private readonly chat: Chat,
    private readonly conversation: () => Conversation,
    private readonly loading: Loading,
    private readonly scroller: Scroller,
  ) {
    this.id = untrack(conversation).id;
  }

  get timeline(): Timeline | undefined {
    return this.chat.store.view.timelines.get(this.id);
  }

  /** Loads more where one comes near an end of what is loaded. */
  page(): void {
    if (this.timeline?.hasBefore && this.scroller.nearTop) void this.loading.older(MOST);
    else if (this.timeline?.hasAfter && this.scroller.nearBottom && !this.loading.busy) void this.loading.newer(MOST);
  }

  /** What has come meanwhile must not make it grow: it lets go of what is farthest from the screen. */
  bound(): void {
    const { pages } = this.chat.store;
    const messages = this.timeline?.messages ?? [];
    if (this.scroller.atEnd && messages.length > FOLLOWED + SLACK) return pages.trimOldest(this.id, FOLLOWED);
    if (messages.length <= MOST + SLACK) return;
    const at = messages.findIndex((one) => one.seq >= this.scroller.topmost);
    if (at > MOST / 2) pages.trimOldest(this.id, MOST);
    else pages.trimNewest(this.id, MOST);
  }

  has(seq: number): boolean {
    return this.timeline?.messages.some((one) => one.seq === seq) ?? false;
  }

  rowOf(seq: number): HTMLElement | null {
    return this.log?.querySelector(`[data-seq="${seq}"], [data-replies~="${seq}"]`) ?? null;
  }

  /** Reads what stands around a message; false when it cannot be shown here. */
  async reach(seq: number): Promise<boolean> {
    await this.loading.around(seq);
    if (!this.has(seq) && !this.loading.problem) toasts.say('That message cannot be shown here.', true);
    return this.has(seq);
  }

  async toNewest(smooth = false): Promise<void> {
    if (this.timeline?.hasAfter) await this.loading.back();
    await this.chat.shown();
    this.scroller.toEnd(smooth);
  }

  /** To where the conversation began. */
  async toFirst(): Promise<void> {
    if (this.timeline?.hasBefore) await this.loading.around(1);
    await this.chat.shown();
    const first = this.log?.querySelector('article');
    if (first) this.scroller.show(first);
  }

  /** To the first message that was unread when this person came. */
  async toUnread(after: number): Promise<void> {
    const line = () => this.log?.querySelector('[data-testid=unread-line]');
    if (!line()) await this.loading.around(Math.min(after + 1, this.conversation().last_seq));
    await this.chat.shown();
    const at = line() ?? this.rowOf(after + 1);
    if (at) this.scroller.show(at);
  }
}
