/**
 * What a screen reader is told of new messages: one by its words, many by their number, and never more often
 * than it can be listened to.
 */
import type { Message } from '../../client';
import { gist } from '../message/message-preview';

const PAUSE = 3_000;

export class Announcing {
  text = $state('');
  private last: number | null = null;
  private fresh: Message[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly name: (message: Message) => string,
    private readonly me: number,
  ) {}

  /** The newest messages as they are now; what is there at first is not news. */
  hear(messages: Message[]): void {
    const newest = messages.at(-1)?.seq ?? 0;
    const before = this.last ?? newest;
    this.last = Math.max(newest, before);
    for (let at = messages.length - 1; at >= 0 && (messages[at]?.seq ?? 0) > before; at--) {
      const message = messages[at];
      if (message && message.author !== this.me) this.fresh.push(message);
    }
    if (this.fresh.length) this.timer ??= setTimeout(() => this.tell(), this.text ? PAUSE : 300);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private tell(): void {
    const [only, ...others] = this.fresh;
    if (only) this.text = others.length ? `${others.length + 1} new messages` : `${this.name(only)}: ${gist(only)}`;
    this.fresh = [];
    // the line is emptied after a while, so that the same words are news again
    this.timer = setTimeout(() => {
      [this.timer, this.text] = [undefined, ''];
      if (this.fresh.length) this.tell();
    }, PAUSE);
  }
}
