/** Loads messages that other messages refer to and no timeline has. Each is requested once. */
import type { Api } from './api';
import { keyOf, type MessageKey } from './message';
import type { Id, Message } from './types';

export class MessageLookup {
  /** Requested, or known not to exist. */
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
