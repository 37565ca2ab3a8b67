/**
 * Desktop notifications, for messages that interrupt the user while no tab has their attention. The permission is
 * requested once a notification was missed, never on the first visit.
 */
import { createContext } from 'svelte';
import { type Entry, type Finish, findMessage, mentionsMe, type Message } from '../../client';
import type { KeywordChange } from '../../client/schema';
import type { Chat } from '../chat.svelte';
import icon from '../icon.svg?no-inline';
import { keep, kept } from '../local-storage';
import { preview } from '../message/message-preview';
import { messages as m } from '../messages';
import { nameOf, titleOf } from '../names';
import { messagePath, route } from '../route.svelte';
import type { TabFocus } from './tab-focus';
import { tagOf } from '../worker/notification';
import { Push } from './push.svelte';
import { workerNow } from './worker';
import { interrupts } from './notification-rules';
import { sound } from './sound.svelte';

/** Milliseconds for which a message is news. What is replayed after a night offline shows no notification. */
const NEWS = 60_000;
/** Attempts, 100 ms apart, to find the author's name. */
const NAME_TRIES = 80;
const DECLINED = 'tandem.notifications.declined';

export class Notifier {
  permission = $state<NotificationPermission | 'impossible'>(permitted());
  /** True if a message arrived for which a notification would have been shown. */
  missed = $state(false);
  readonly push: Push;

  constructor(
    private readonly chat: Chat,
    private readonly doNotDisturb: () => boolean,
    private readonly focus: TabFocus,
  ) {
    this.push = new Push(chat.api);
  }

  /** True while the app should request the permission: a notification was missed, so the reason is clear. */
  get asking(): boolean {
    return this.missed && this.permission === 'default' && kept('device', DECLINED) === null;
  }

  async ask(): Promise<void> {
    this.missed = false;
    if (this.permission === 'default') this.permission = await Notification.requestPermission();
    if (this.permission === 'granted') await this.push.turnOn();
  }

  decline(): void {
    this.missed = false;
    keep('device', DECLINED, 'yes');
  }

  receive(entry: Entry): void {
    if (this.focus.anywhere || this.doNotDisturb()) return;
    // a streamed message is news once it has its text
    if (entry.event === 'finish') return void this.receiveFinished(entry.data);
    if (entry.event === 'keyword') return void this.receiveKeyword(entry.data);
    if (entry.event !== 'message' || entry.data.streaming) return;
    if (Date.now() - Date.parse(entry.data.created_at) < NEWS) this.interrupt(entry.data);
  }

  private async receiveFinished(finish: Finish): Promise<void> {
    const { store, api } = this.chat;
    const { conversation, seq } = finish;
    const kind = store.view.conversations.get(conversation)?.kind;
    if (store.view.connection.name === 'behind' || !kind || (kind === 'channel' && !mentionsMe(finish, store.view))) return;
    const known = findMessage(store.view, conversation, seq);
    const message = known && !known.streaming ? known : await api.message(conversation, seq).catch(() => null);
    if (message) this.interrupt(message);
  }

  /** Show a message with one of the user's keywords, unless it has interrupted them already. */
  private async receiveKeyword({ conversation, seq }: KeywordChange): Promise<void> {
    const { store, api } = this.chat;
    const place = store.view.conversations.get(conversation);
    if (!seq || !place || store.view.connection.name === 'behind') return;
    const message = findMessage(store.view, conversation, seq) ?? (await api.message(conversation, seq).catch(() => null));
    if (!message || Date.now() - Date.parse(message.created_at) > NEWS) return;
    if (!interrupts(message, place, store.view, Date.now())) this.interrupt(message, true);
  }

  /** Show a notification with a sound, or note that one was missed, if the message interrupts the user. */
  private interrupt(message: Message, called = false): void {
    const { view } = this.chat.store;
    const conversation = view.conversations.get(message.conversation);
    if (!conversation || !interrupts(message, conversation, view, Date.now(), called)) return;
    if (this.focus.isNotifying) sound.notify(this.push.quiet);
    if (this.permission !== 'granted') this.missed = true;
    else if (this.focus.isNotifying) this.notify(message, NAME_TRIES);
  }

  /** Show a notification, after waiting a few seconds for an author's name that is not known yet. */
  private notify(message: Message, tries: number): void {
    const { store } = this.chat;
    store.loadUsers([message.author]);
    if (tries > 0 && !store.view.users.has(message.author)) setTimeout(() => this.notify(message, tries - 1), 100);
    else void this.show(message);
  }

  /**
   * Show it from the store's view, because the page may lag behind. The tag makes unconnected tabs and the service worker
   * show it only once.
   */
  private async show(message: Message): Promise<void> {
    const { conversations, users } = this.chat.store.view;
    const conversation = conversations.get(message.conversation);
    const title = conversation ? titleOf(conversation, users, this.chat.me) : '';
    const name = nameOf(users.get(message.author));
    const heading = conversation?.kind === 'channel' ? m.notify.inChannel(name, title) : name;
    const url = messagePath(message.conversation, message.seq);
    const shown = { body: preview(message), tag: tagOf(message.conversation, message.seq), icon };
    const registration = await workerNow();
    if (registration) return registration.showNotification(heading, { ...shown, data: url }); // the worker opens it
    const notification = new Notification(heading, shown);
    notification.onclick = () => {
      focus();
      route.go(url);
      notification.close();
    };
  }
}

function permitted(): NotificationPermission | 'impossible' {
  return 'Notification' in globalThis && isSecureContext ? Notification.permission : 'impossible';
}

export const [getNotifier, setNotifier] = createContext<Notifier>();
