/** A list that is loaded in pages, newest first, and read again when something has changed. */
import { asProblem, type Problem } from '../../client';

/** Milliseconds in which changes are gathered before the list is read again. */
const GATHER = 1_000;

interface Loaded<Item, Next> {
  items: Item[];
  next?: Next | undefined;
}

export class PagedList<Item, Next> {
  items = $state.raw<Item[] | null>(null);
  next = $state.raw<Next | undefined>();
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  private round = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `rank`: items are in descending order of it. */
  constructor(
    private readonly fetch: (before?: Next) => Promise<Loaded<Item, Next>>,
    private readonly rank: (item: Item) => number,
  ) {}

  /** Load the first page. The items of further pages stay. */
  async load(): Promise<void> {
    await this.read(undefined, ({ items, next }) => {
      const end = next === undefined ? Infinity : this.rank(items.at(-1) as Item);
      const rest = items.length && next !== undefined ? (this.items ?? []).filter((one) => this.rank(one) < end) : [];
      [this.items, this.next] = [[...items, ...rest], rest.length ? this.next : next];
    });
  }

  async loadMore(): Promise<void> {
    await this.read(this.next, ({ items, next }) => {
      [this.items, this.next] = [[...(this.items ?? []), ...items], next];
    });
  }

  /** Read the first page again soon. */
  refresh(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.load();
    }, GATHER);
  }

  remove(item: Item): void {
    this.items = this.items?.filter((one) => one !== item) ?? null;
  }

  /** Forget what was loaded: the list is about something else now. */
  clear(): void {
    [this.items, this.next, this.problem] = [null, undefined, null];
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** Fetch a page and take it. An answer that another call has overtaken is dropped. */
  private async read(before: Next | undefined, take: (page: Loaded<Item, Next>) => void): Promise<void> {
    const round = ++this.round;
    this.busy = true;
    try {
      const page = await this.fetch(before);
      if (round !== this.round) return;
      take(page);
      this.problem = null;
    } catch (error) {
      if (round === this.round) this.problem = asProblem(error);
    }
    if (round === this.round) this.busy = false;
  }
}
