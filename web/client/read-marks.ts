/**
 * Read marks that are being sent. Only the furthest of each conversation counts; one that failed to send goes with
 * the next.
 */
import type { Api } from './api';
import type { Id } from './types';

/** Marks of one request at most. */
const AT_ONCE = 500;

interface Mark {
  seq: number;
  /** The user asked to read what they had marked as unread. */
  asked: boolean;
}

export class ReadMarks {
  private readonly unsent = new Map<Id, Mark>();
  private busy = false;

  constructor(private readonly api: Api) {}

  /** Move marks forward: `[conversation, seq, asked]`. */
  move(...marks: [Id, number, boolean?][]): void {
    for (const [conversation, seq, asked = false] of marks)
      this.unsent.set(conversation, { seq, asked: asked || (this.unsent.get(conversation)?.asked ?? false) });
    void this.flush();
  }

  /** Mark the messages after `seq` as unread. Marks that wait to be sent are dropped. */
  async moveBack(conversation: Id, seq: number): Promise<void> {
    this.unsent.delete(conversation);
    await this.api.markRead(conversation, seq, true);
  }

  /** Send unsent marks, several in one request, and stop at the first temporary failure. */
  async flush(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    while (this.unsent.size) {
      const all = [...this.unsent];
      const asked = all.find(([, mark]) => mark.asked);
      const marks = asked ? [asked] : all.slice(0, AT_ONCE);
      const problem = await this.send(marks).then(
        () => null,
        (error: { temporary?: boolean }) => error,
      );
      if (problem?.temporary) break;
      for (const [conversation, mark] of marks)
        if (this.unsent.get(conversation) === mark) this.unsent.delete(conversation);
    }
    this.busy = false;
  }

  private send(marks: [Id, Mark][]): Promise<void> {
    const [first, ...others] = marks;
    if (first && !others.length) return this.api.markRead(first[0], first[1].seq, first[1].asked ? false : undefined);
    const all = marks.map(([conversation, { seq }]) => ({ conversation, seq }));
    return this.api.call('PUT', '/api/chat/read', { marks: all });
  }
}
