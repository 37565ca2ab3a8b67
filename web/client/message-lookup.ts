/** Fetches messages that others point at and no timeline holds; each is asked for once. */
import type { Api } from './api';
import { type MessageKey, keyOf } from './message';
import type { Id, Message } from './types';

export class MessageLookup {
  /** On their way, or known not to be found. */
  private readonly requested = new Set<MessageKey>();

  constructor(
    private readonly api: Api,
    private readonly isKnown: (conversation: Id, seq: number) => boolean,
    private readonly onFound: (message: Message) => void,
  ) {}

  async load(conversation: Id, seq: number): Promise<void> {
    const key = keyOf(conversation, seq);
    if (this.isKnown(conversation, seq) || this.requested.has(key)) return;
    this.requested.add(key);
    await this.api.message(conversation, seq).then(
      (message) => {
        this.requested.delete(key);
        if (!this.isKnown(conversation, seq)) this.onFound(message);
      },
      (error: { temporary?: boolean }) => {
        if (error.temporary) this.requested.delete(key);
      },
    );
  }
}
