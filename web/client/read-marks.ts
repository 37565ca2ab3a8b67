/**
 * Read marks that are being sent. Only the furthest of each conversation counts; one that failed to send goes with
 * the next.
 */
import type { Api } from './api';
import type { Id } from './types';

/** Marks of one request at most. */
const AT_ONCE = 500;

export class ReadMarks {
  private readonly unsent = new Map<Id, number>();
  private busy = false;

  constructor(private readonly api: Api) {}

  move(...marks: [Id, number][]): void {
    for (const [conversation, seq] of marks) this.unsent.set(conversation, seq);
    void this.flush();
  }

  /** Send unsent marks, several in one request, and stop at the first temporary failure. */
  async flush(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    while (this.unsent.size) {
      const marks = [...this.unsent].slice(0, AT_ONCE).map(([conversation, seq]) => ({ conversation, seq }));
      const problem = await this.send(marks).then(
        () => null,
        (error: { temporary?: boolean }) => error,
      );
      if (problem?.temporary) break;
      for (const { conversation, seq } of marks)
        if (this.unsent.get(conversation) === seq) this.unsent.delete(conversation);
    }
    this.busy = false;
  }

  private send(marks: { conversation: Id; seq: number }[]): Promise<void> {
    const [first, ...others] = marks;
    return first && !others.length ? this.api.markRead(first.conversation, first.seq) : this.api.markManyRead(marks);
  }
}
