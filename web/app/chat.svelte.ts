/** The client's store as the components see it: its view as reactive state, and what is derived from it. */
import { createContext } from 'svelte';
import {
  type Api,
  type Conversation,
  type Entry,
  type FeedOptions,
  type Id,
  type Outgoing,
  SharedStream,
  Store,
  type Tabs,
  type User,
  type View,
} from '../client';
import { keep, kept } from './kept';
import { byRecency, nameOf, titleOf } from './names';
import { loudOf } from './notify/quiet';
import { paced } from './pace';

export class Chat {
  readonly store: Store;
  view: View;
  readonly sorted = $derived.by(() => [...this.view.conversations.values()].sort(byRecency));
  /** What one asked to be told of. */
  readonly unread = $derived.by(() => this.sorted.reduce((sum, one) => sum + loudOf(one, Date.now()), 0));
  readonly threadsUnread = $derived.by(() => [...this.view.threads.values()].filter((one) => one.unread).length);
  readonly unsent = $derived.by(() => this.view.outgoing.filter((one) => one.state !== 'sent').length);

  /** `hear` is told of every entry of the log. */
  constructor(
    readonly api: Api,
    me: User,
    hear: (entry: Entry) => void,
    tabs: Tabs | null,
  ) {
    const key = `tandem.outbox.${me.id}`;
    const keepAll = (outgoing: Outgoing[]) => keep('tab', key, JSON.stringify(outgoing));
    const shared = tabs && { feed: (options: FeedOptions) => new SharedStream(tabs, options) };
    this.store = new Store({ api, me, kept: keptIn(key), keep: keepAll, entry: hear, ...shared });
    this.view = $state.raw(this.store.view);
    this.store.subscribe(paced((view: View) => (this.view = view)));
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

function keptIn(key: string): Outgoing[] {
  try {
    return JSON.parse(kept('tab', key) ?? '[]') as Outgoing[];
  } catch {
    return [];
  }
}

export const [getChat, setChat] = createContext<Chat>();
