/** The results of a search, a page at a time; later edits and deletions are applied to them. */
import { type Api, asProblem, type SearchRequest, type Entry, type Hit, type Id, type Problem, search } from '../../client';

/** Milliseconds between the last key and the request. */
const DELAY = 180;

export class Finding {
  hits = $state.raw<Hit[] | null>(null);
  next = $state.raw<string | null>(null);
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  private asked: SearchRequest | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly api: Api,
    private readonly found: (hits: Hit[]) => void,
  ) {}

  /** Search after a short delay, unless another query replaces this one; null clears the results. */
  ask(asked: SearchRequest | null): void {
    if (JSON.stringify(asked) === JSON.stringify(this.asked)) return;
    clearTimeout(this.timer);
    this.asked = asked;
    [this.next, this.problem, this.busy] = [null, null, asked !== null];
    if (!asked) this.hits = null;
    else this.timer = setTimeout(() => void this.run(asked, []), DELAY);
  }

  more(): void {
    const { asked, next, busy } = this;
    if (asked && next && !busy) void this.run({ ...asked, before: next }, this.hits ?? []);
  }

  again(): void {
    if (this.asked) void this.run(this.asked, []);
  }

  apply(entry: Entry): void {
    if (entry.event === 'delete') this.hits = this.without(entry.data.conversation, entry.data.seq);
    if (entry.event === 'edit') this.hits = this.changed((hit) => (isOf(hit, entry.data.conversation, entry.data.seq) ? { message: entry.data, highlight: [[entry.data.body, false]] } : hit));
  }

  private async run(asked: SearchRequest, before: Hit[]): Promise<void> {
    const question = this.asked;
    [this.busy, this.problem] = [true, null];
    try {
      const { results, next } = await search(this.api, asked);
      if (question !== this.asked) return;
      this.found(results);
      [this.hits, this.next] = [[...before, ...results], next];
    } catch (error) {
      if (question === this.asked) this.problem = asProblem(error);
    } finally {
      if (question === this.asked) this.busy = false;
    }
  }

  private without(conversation: Id, seq: number): Hit[] | null {
    return this.hits?.filter((hit) => !isOf(hit, conversation, seq)) ?? null;
  }

  private changed(how: (hit: Hit) => Hit): Hit[] | null {
    return this.hits?.map(how) ?? null;
  }
}

const isOf = ({ message }: Hit, conversation: Id, seq: number) =>
  message.conversation === conversation && message.seq === seq;
