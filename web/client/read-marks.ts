/**
 * Read marks that are being sent. Only the furthest of each conversation counts; one that failed to send goes with
 * the next.
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

  /** Send unsent marks one after the other, and stop at the first temporary failure. */
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
