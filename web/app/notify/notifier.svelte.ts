/**
 * The browser's own notifications, for what is worth interrupting for while nobody looks at any tab. Leave
 * to show them is asked for when the first one was missed, never at once.
 */
import { createContext } from 'svelte';
import type { Entry, Message } from '../../client';
import type { Chat } from '../chat.svelte';
import { keep, kept } from '../local-storage';
import { gist } from '../message/message-preview';
import { nameOf, titleOf } from '../names';
import { messagePath, route } from '../route.svelte';
import type { Eyes } from './tab-focus';
import { interrupts } from './notification-rules';

/** Milliseconds after which a message is history: what is replayed after a night does not ring. */
const NEWS = 60_000;
const NAME_TRIES = 80;
const DECLINED = 'tandem.notifications.declined';

export class Notifier {
  permission = $state<NotificationPermission | 'impossible'>(permitted());
  /** Something was missed that a notification would have told of. */
  missed = $state(false);

  constructor(
    private readonly chat: Chat,
    private readonly disturbed: () => boolean,
    private readonly eyes: Eyes,
  ) {}

  /** Asked for at a moment when it is clear what for. */
  get asking(): boolean {
    return this.missed && this.permission === 'default' && kept('device', DECLINED) === null;
  }

  async ask(): Promise<void> {
    this.missed = false;
    if (this.permission === 'default') this.permission = await Notification.requestPermission();
  }

  decline(): void {
    this.missed = false;
    keep('device', DECLINED, 'yes');
  }

  hear(entry: Entry): void {
    if (entry.event !== 'message' || this.eyes.open || this.disturbed()) return;
    const { view } = this.chat.store;
    const conversation = view.conversations.get(entry.data.conversation);
    const fresh = Date.now() - Date.parse(entry.data.created_at) < NEWS;
    if (!fresh || !conversation || !interrupts(entry.data, conversation, view, Date.now())) return;
    if (this.permission !== 'granted') this.missed = true;
    else if (this.eyes.speaks) this.tell(entry.data, NAME_TRIES);
  }

  /** A name that is not known is asked for and waited for, but not for long. */
  private tell(message: Message, tries: number): void {
    const { store } = this.chat;
    store.loadUsers([message.author]);
    if (tries > 0 && !store.view.users.has(message.author)) setTimeout(() => this.tell(message, tries - 1), 100);
    else this.show(message);
  }

  /** By what the store knows, for the page may show it later. The tag lets tabs that know nothing of each other tell it once. */
  private show(message: Message): void {
    const { conversations, users } = this.chat.store.view;
    const conversation = conversations.get(message.conversation);
    const title = conversation ? titleOf(conversation, users, this.chat.me) : '';
    const name = nameOf(users.get(message.author));
    const where = conversation?.kind === 'channel' ? `${name} in #${title}` : name;
    const tag = `tandem ${message.conversation}/${message.seq}`;
    const notification = new Notification(where, { body: gist(message), tag, icon: '/icon.svg' });
    notification.onclick = () => {
      focus();
      route.go(messagePath(message.conversation, message.seq));
      notification.close();
    };
  }
}

function permitted(): NotificationPermission | 'impossible' {
  return 'Notification' in globalThis && isSecureContext ? Notification.permission : 'impossible';
}

export const [getNotifier, setNotifier] = createContext<Notifier>();
