/** The client's store as the components see it: its view as reactive state, and what is derived from it. */
import { createContext, tick } from 'svelte';
import {
  type Api,
  type Conversation,
  type Entry,
  type FeedOptions,
  type Id,
  IndexedKeep,
  type OutboxOptions,
  SharedOutbox,
  SharedStream,
  Store,
  type Tabs,
  type User,
  type View,
} from '../client';
import { byRecency, nameOf, titleOf } from './names';
import { loudOf } from './notify/quiet';
import { paced } from './pace';

const waits = ['sending', 'waiting'];

export class Chat {
  readonly store: Store;
  private readonly waiting: (() => void)[] = [];
  view: View;
  readonly sorted = $derived.by(() => [...this.view.conversations.values()].sort(byRecency));
  /** What one asked to be told of. */
  readonly unread = $derived.by(() => this.sorted.reduce((sum, one) => sum + loudOf(one, Date.now()), 0));
  readonly threadsUnread = $derived.by(() => [...this.view.threads.values()].filter((one) => one.unread).length);
  readonly unsent = $derived.by(() => this.view.outgoing.filter((one) => waits.includes(one.state)).length);

  /** `hear` is told of every entry of the log. */
  constructor(
    readonly api: Api,
    me: User,
    hear: (entry: Entry) => void,
    tabs: Tabs | null,
  ) {
    this.store = new Store({ api, me, entry: hear, keep: new IndexedKeep(`tandem ${me.id}`), ...(tabs && shared(tabs)) });
    this.view = $state.raw(this.store.view);
    this.store.subscribe(paced((view: View) => this.show(view)));
  }

  /** Resolves when all that the store knows now stands in the page. */
  async shown(): Promise<void> {
    if (this.view !== this.store.view) await new Promise<void>((resolve) => this.waiting.push(resolve));
    await tick();
  }

  private show(view: View): void {
    this.view = view;
    for (const goOn of this.waiting.splice(0)) goOn();
  }

  get me(): Id {
    return this.view.me.id;
  }

  user(id: Id): User | undefined {
    return this.view.users.get(id);
  }

  name(id: Id): string {
    return nameOf(this.user(id));
  }

  title(conversation: Conversation): string {
    return titleOf(conversation, this.view.users, this.me);
  }
}

/** What all tabs of this browser do as one. */
const shared = (tabs: Tabs) => ({
  feed: (options: FeedOptions) => new SharedStream(tabs, options),
  out: (options: OutboxOptions) => new SharedOutbox(tabs, options),
});

export const [getChat, setChat] = createContext<Chat>();
