/** The client's store for the components: its view as reactive state, and values derived from it. */
import { createContext, tick } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
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
import { CustomEmojis } from './emoji/custom.svelte';
import { Groups } from './groups.svelte';
import { byRecency, type Named, nameOf, titleOf } from './names';
import { callsToShow, unreadToShow } from './notify/notification-rules';
import { throttled } from './throttle';
import { type Happening, withEntry } from './timeline/happenings';

const UNSENT = ['sending', 'waiting'];

export class Chat {
  readonly store: Store;
  readonly moderation: Moderation;
  private readonly storage: IndexedDbStorage;
  /** Callbacks for every entry of the log, beside the view. */
  private readonly listeners = new Set<(entry: Entry) => void>();
  private readonly waiting: (() => void)[] = [];
  private names: { id: Id; name: string }[] = [];
  view: View;
  readonly groups: Groups;
  readonly emoji: CustomEmojis;
  /** How many members the conversations have that were opened. */
  readonly sizes = new SvelteMap<Id, number>();
  /** What happened in conversations beside their messages, since this page was opened. */
  readonly happenings = new SvelteMap<Id, readonly Happening[]>();
  /** All conversations but archived ones, which are loaded only while they are open. */
  readonly sorted = $derived.by(() => [...this.view.conversations.values()].filter((one) => !one.archived).sort(byRecency));
  /** The conversations that have a name; the same list until a name changes. */
  readonly named = $derived.by(() => this.nameAll(this.sorted));
  /** Unread messages that call the user: mentions, and messages outside of channels. */
  readonly calls = $derived.by(() => this.sorted.reduce((sum, one) => sum + callsToShow(one, Date.now()), 0));
  readonly unreadConversations = $derived.by(() => this.sorted.filter((one) => unreadToShow(one, Date.now()) > 0).length);
  readonly threadsUnread = $derived.by(() => [...this.view.threads.values()].filter((one) => one.unread).length);
  readonly unsent = $derived.by(() => this.view.outgoing.filter((one) => UNSENT.includes(one.state)).length);

  /** `onEntry` is called with every entry of the log. */
  constructor(
    readonly api: Api,
    me: User,
    onEntry: (entry: Entry) => void,
    tabs: Tabs | null,
  ) {
    this.moderation = new Moderation(api);
    this.storage = new IndexedDbStorage(`tandem ${me.id}`);
    this.groups = new Groups(api, () => me.id);
    this.emoji = new CustomEmojis(api);
    this.listen(onEntry);
    this.listen((one) => this.emoji.receive(one));
    this.listen((one) => this.groups.receive(one));
    const onSnapshot = () => {
      for (const one of [this.groups, this.emoji]) void one.load().catch(() => undefined);
    };
    const entry = (one: Entry, before: View) => this.emit(one, before);
    this.store = new Store({ api, me, onEntry: entry, onSnapshot, storage: this.storage, ...(tabs && shared(tabs)) });
    this.view = $state.raw(this.store.view);
    this.store.subscribe(throttled((view: View) => this.show(view)));
  }

  /** Delete the unsent messages that this browser stores. */
  async forget(): Promise<void> {
    this.store.stop();
    await this.storage.clear();
  }

  /** Wait until the page shows the current state of the store. */
  async shown(): Promise<void> {
    if (this.view !== this.store.view) await new Promise<void>((resolve) => this.waiting.push(resolve));
    await tick();
  }

  private show(view: View): void {
    this.view = view;
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** Call the listener with every new entry of the log. Return a function that removes the listener. */
  listen(listener: (entry: Entry) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Note what an entry tells beside the messages, from what was known before it. */
  private note(entry: Entry, { conversations, roles, timelines }: View): void {
    if (entry.event !== 'member' && entry.event !== 'conversation') return;
    const id = entry.event === 'member' ? entry.data.conversation : entry.data.id;
    const known = { conversation: conversations.get(id), roles: roles.get(id), messages: timelines.get(id)?.messages };
    const all = this.happenings.get(id) ?? [];
    const now = withEntry(all, entry, known);
    if (now !== all) this.happenings.set(id, now);
  }

  private emit(entry: Entry, before: View): void {
    this.note(entry, before);
    for (const listener of [...this.listeners]) listener(entry);
  }

  private nameAll(all: Conversation[]): { id: Id; name: string }[] {
    const fresh = all.filter((one) => one.name).map(({ id, name }) => ({ id, name: name ?? '' })).sort((a, b) => a.id - b.id);
    const same = fresh.length === this.names.length && fresh.every(({ id, name }, n) => this.names[n]?.id === id && this.names[n].name === name);
    if (!same) this.names = fresh;
    return this.names;
  }

  /** Return true if the user is an owner or admin of the conversation. */
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

/** The stream and the outbox that all tabs of this browser share. */
const shared = (tabs: Tabs) => ({
  source: (options: EntrySourceOptions) => new SharedStream(tabs, options),
  outbox: (options: OutboxOptions) => new SharedOutbox(tabs, options),
});

export const [getChat, setChat] = createContext<Chat>();
