/** Fetches messages that others point at and no timeline holds; each is asked for once. */
import type { Api } from './api';
import { type Place, placeOf } from './message';
import type { Id, Message } from './types';

export class Originals {
  /** On their way, or known not to be found. */
  private readonly asked = new Set<Place>();

  constructor(
    private readonly api: Api,
    private readonly known: (conversation: Id, seq: number) => boolean,
    private readonly found: (message: Message) => void,
  ) {}

  async want(conversation: Id, seq: number): Promise<void> {
    const place = placeOf(conversation, seq);
    if (this.known(conversation, seq) || this.asked.has(place)) return;
    this.asked.add(place);
    await this.api.message(conversation, seq).then(
      (message) => {
        this.asked.delete(place);
        if (!this.known(conversation, seq)) this.found(message);
      },
      (error: { passing?: boolean }) => {
        if (error.passing) this.asked.delete(place);
      },
    );
  }
}
