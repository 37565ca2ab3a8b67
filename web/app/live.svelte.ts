/** What a logged-in page needs to be live: the chat and presence, in one connection for all tabs. */
import { untrack } from 'svelte';
import { type Entry, Tabs, type User } from '../client';
import { attention } from './attention.svelte';
import { Chat, setChat } from './chat.svelte';
import { Here, setHere } from './presence/here.svelte';
import { session } from './session.svelte';

export interface Live {
  chat: Chat;
  here: Here;
  /** Null if this browser cannot share a connection among tabs. */
  tabs: Tabs | null;
  /** Try again at once: the network is back, or the user is. */
  wake(): void;
  /** Close the connections: the network is known to be down. */
  cut(): void;
  /** Record that the user is active. */
  recordActivity(): void;
}

/**
 * Connect while the calling component is in the page, and set the contexts of the components in it. `onRefused` is called
 * when the session has ended.
 */
export function goLive(me: User, onEntry: (entry: Entry) => void, onRefused: () => void): Live {
  const tabs = Tabs.isSupported() ? new Tabs({ name: `tandem ${me.id}` }) : null;
  const chat = setChat(new Chat(session.api, me, onEntry, tabs));
  // created after the stream, because a tab that closes ends its stream first: a user with a stream but no socket is shown as away
  const here = setHere(new Here(session.api, me.id, (cursor) => chat.store.reportLogPosition(cursor), tabs));
  const parts = [chat.store, here.presence];
  const cut = () => parts.forEach((part) => part.dropConnection());
  const recordActivity = () => here.presence.activity.noticeInput();
  const wake = () => {
    recordActivity();
    for (const part of parts) part.wake();
  };

  $effect(() => {
    for (const part of parts) part.start();
    return () => parts.forEach((part) => part.stop());
  });

  $effect(() => {
    if (chat.view.connection.name === 'refused' || here.view.socket.name === 'refused') untrack(onRefused);
  });

  // when the socket or the stream is connected again, the other one retries at once
  $effect(() => {
    if (here.view.socket.name === 'open') untrack(() => chat.store.wake());
  });

  $effect(() => {
    if (chat.view.connection.name === 'live') here.presence.wake();
  });

  // a user who is typing may be unknown so far
  $effect(() => chat.store.loadUsers([...here.view.typing.values()].flat()));

  $effect(() => {
    if (attention.here) untrack(wake);
  });
  return { chat, here, tabs, wake, cut, recordActivity };
}
