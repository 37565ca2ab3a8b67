/**
 * The loaded part of a conversation: a window that moves over it a page at a time and keeps its size however long the
 * conversation is. Messages dropped at one end are loaded again when the reader returns to them.
 *
 * All loaded messages are real text in the page, in order. They can be selected, searched and read aloud, unlike in a
 * list that draws only the rows on the screen (deploy/decisions/0038-message-window.md).
 */
import { untrack } from 'svelte';
import type { Conversation, Timeline } from '../../client';
import type { Chat } from '../chat.svelte';
import { messages as m } from '../messages';
import { toasts } from '../toasts.svelte';
import type { Loading } from './loading.svelte';
import type { Scroller } from './scroller.svelte';

/** Messages kept while the user reads earlier ones. */
export const MOST = 400;
/** Messages kept at the end of the conversation. */
const FOLLOWED = 150;
/** Messages over either limit before any are dropped. */
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

  /** Load more messages near either end of the loaded ones. */
  page(): void {
    if (this.timeline?.hasBefore && this.scroller.nearTop) void this.loading.older(MOST);
    else if (this.timeline?.hasAfter && this.scroller.nearBottom && !this.loading.busy) void this.loading.newer(MOST);
  }

  /** Drop the messages farthest from the screen, so that new messages do not make the window grow. */
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

  /** Return the row of a message; for a reply without one, that of its thread. */
  rowOf(seq: number): HTMLElement | null {
    const row = this.log?.querySelector<HTMLElement>(`[data-seq="${seq}"], [data-replies~="${seq}"]`);
    const thread = row ? null : this.timeline?.messages.find((one) => one.seq === seq)?.thread;
    return row ?? (thread ? this.rowOf(thread) : null);
  }

  /** Load the messages around one; return false if it cannot be shown. */
  async reach(seq: number): Promise<boolean> {
    await this.loading.around(seq);
    if (!this.has(seq) && !this.loading.problem) toasts.say(m.timeline.unavailable, true);
    return this.has(seq);
  }

  async toNewest(smooth = false): Promise<void> {
    if (this.timeline?.hasAfter) await this.loading.back();
    await this.chat.shown();
    this.scroller.toEnd(smooth);
  }

  /** Show the first message of the conversation. */
  async toFirst(): Promise<void> {
    if (this.timeline?.hasBefore) await this.loading.around(1);
    await this.chat.shown();
    const first = this.log?.querySelector('article');
    if (first) this.scroller.show(first);
  }

  /** Show the first message that was unread when the user opened the conversation. */
  async toUnread(after: number): Promise<void> {
    const line = () => this.log?.querySelector('[data-testid=unread-line]');
    if (!line()) await this.loading.around(Math.min(after + 1, this.conversation().last_seq));
    await this.chat.shown();
    const at = line() ?? this.rowOf(after + 1);
    if (at) this.scroller.show(at);
  }
}
