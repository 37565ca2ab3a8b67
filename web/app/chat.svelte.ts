/** The client's store as the components see it: its view as reactive state, and what is derived from it. */
import { createContext, tick } from 'svelte';
import {
  type Api,
  type Conversation,
  type Entry,
  type EntrySourceOptions,
  type Id,
  IndexedDbStorage,
  Moderation,
  type OutboxOptions,
  SharedOutbox,
  SharedStream,
  Store,
  type Tabs,
  type User,
  type View,
} from '../client';
import { byRecency, type Named, nameOf, titleOf } from './names';
import { loudOf } from './notify/notification-rules';
import { paced } from './throttle';

const waits = ['sending', 'waiting'];

export class Chat {
  readonly store: Store;
  readonly moderation: Moderation;
  private readonly storage: IndexedDbStorage;
  /** Who listens to the entries of the log beside the view. */
  private readonly ears = new Set<(entry: Entry) => void>();
  private readonly waiting: (() => void)[] = [];
  view: View;
  /** All that people write to; what is archived is there only while it is being read. */
  readonly sorted = $derived.by(() => [...this.view.conversations.values()].filter((one) => !one.archived).sort(byRecency));
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
    this.moderation = new Moderation(api);
    this.storage = new IndexedDbStorage(`tandem ${me.id}`);
    this.listen(hear);
    const entry = (told: Entry) => this.tell(told);
    this.store = new Store({ api, me, onEntry: entry, storage: this.storage, ...(tabs && shared(tabs)) });
    this.view = $state.raw(this.store.view);
    this.store.subscribe(paced((view: View) => this.show(view)));
  }

  /** Deletes what this browser keeps of messages that were not sent. */
  async forget(): Promise<void> {
    this.store.stop();
    await this.storage.clear();
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

  /** Hears every entry of the log from now on, until what it returns is called. */
  listen(ear: (entry: Entry) => void): () => void {
    this.ears.add(ear);
    return () => this.ears.delete(ear);
  }

  private tell(entry: Entry): void {
    for (const ear of [...this.ears]) ear(entry);
  }

  /** Whether this person runs it: names it, keeps it in order, decides who stays. */
  runs({ kind, role }: Conversation): boolean {
    return kind !== 'direct' && (role === 'owner' || role === 'admin');
  }

  get isAdmin(): boolean {
    return this.view.me.role === 'admin';
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

  title(conversation: Named): string {
    return titleOf(conversation, this.view.users, this.me);
  }
}

/** What all tabs of this browser do as one. */
const shared = (tabs: Tabs) => ({
  source: (options: EntrySourceOptions) => new SharedStream(tabs, options),
  outbox: (options: OutboxOptions) => new SharedOutbox(tabs, options),
});

export const [getChat, setChat] = createContext<Chat>();
