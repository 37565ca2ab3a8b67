/**
 * Read marks on their way: per conversation only the furthest counts, and one that could not be sent goes
 * with the next.
 */
import type { Api } from './api';
import type { Id } from './types';

export class ReadMarks {
  private readonly unsent = new Map<Id, number>();
  private busy = false;

  constructor(private readonly api: Api) {}

  move(conversation: Id, seq: number): void {
    this.unsent.set(conversation, seq);
    void this.flush();
  }

  /** Sends what is unsent, one after the other; ends at the first that cannot be sent. */
  async flush(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    for (let next = this.firstUnsent(); next; next = this.firstUnsent()) {
      const [conversation, seq] = next;
      const problem = await this.api.markRead(conversation, seq).then(
        () => null,
        (error: { temporary?: boolean }) => error,
      );
      if (problem?.temporary) break;
      if (this.unsent.get(conversation) === seq) this.unsent.delete(conversation);
    }
    this.busy = false;
  }

  private firstUnsent(): [Id, number] | undefined {
    return this.unsent.entries().next().value;
  }
}
