/**
 * New messages for screen readers: the text of one message, or the number of several, at most one announcement
 * every three seconds. A message that is written while others read it is announced at its end.
 */
import type { Message } from '../../client';
import { preview } from '../message/message-preview';
import { messages as m } from '../messages';

const PAUSE = 3_000;

export class Announcing {
  text = $state('');
  private last: number | null = null;
  private fresh: Message[] = [];
  /** The messages that are still written. */
  private readonly growing = new Set<number>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly name: (message: Message) => string,
    private readonly me: number,
  ) {}

  /** Take the messages as they are now. The first call announces nothing. */
  update(messages: Message[]): void {
    const newest = messages.at(-1)?.seq ?? 0;
    const before = this.last ?? newest;
    this.last = Math.max(newest, before);
    for (let at = messages.length - 1; at >= 0 && (messages[at]?.seq ?? 0) > before; at--) {
      const message = messages[at];
      if (message && message.author !== this.me) this.growing.add(message.seq);
    }
    this.takeFinished(messages);
    if (this.fresh.length) this.timer ??= setTimeout(() => this.announce(), this.text ? PAUSE : 300);
  }

  private takeFinished(messages: Message[]): void {
    if (!this.growing.size) return;
    for (const message of messages)
      if (!message.streaming && this.growing.delete(message.seq)) this.fresh.push(message);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private announce(): void {
    const [only, ...others] = this.fresh;
    if (only)
      this.text = others.length
        ? m.timeline.newMessages(others.length + 1)
        : m.timeline.announced(this.name(only), preview(only));
    this.fresh = [];
    // the text is cleared after a while, so that screen readers announce the same text again
    this.timer = setTimeout(() => {
      [this.timer, this.text] = [undefined, ''];
      if (this.fresh.length) this.announce();
    }, PAUSE);
  }
}
