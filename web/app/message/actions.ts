/** What can be done with a message, and who may. */
import type { Conversation, Id, Message } from '../../client';
import type { Chat } from '../chat.svelte';
import type { Writing } from '../composer/writing.svelte';
import { taste } from '../emoji/emoji-preferences.svelte';
import type { Panels } from '../panels.svelte';
import type { IconName } from '../parts/Icon.svelte';
import { messagePath, route, threadPath } from '../route.svelte';
import { copy } from '../copy';
import { toasts } from '../toasts.svelte';

export type ActName =
  | 'react'
  | 'reply'
  | 'thread'
  | 'edit'
  | 'pin'
  | 'copy'
  | 'link'
  | 'profile'
  | 'history'
  | 'delivery'
  | 'report'
  | 'delete';

export interface Act {
  name: ActName;
  text: string;
  icon: IconName;
  /** While the message has the focus. */
  key: string;
  run: (near: DOMRect | null) => void;
}

interface Around {
  chat: Chat;
  panels: Panels;
  writing: Writing;
}

/** What this person may do with this message, most used first. */
export function actsOf(message: Message, { chat, panels, writing }: Around): Act[] {
  const conversation = chat.view.conversations.get(message.conversation);
  if (!conversation) return [];
  const { conversation: id, seq, thread, pinned } = message;
  const mine = message.author === chat.me;
  const open = !conversation.archived;
  const writes = open && (!conversation.read_only || chat.runs(conversation));
  const inThread = writing.thread !== null;
  const oversight = oversightOf(message, conversation, chat, panels);
  if (message.deleted) return oversight;
  const all: (Act | false)[] = [
    open && { name: 'react', text: 'Add reaction', icon: 'smile', key: '+', run: (near) => pickReaction(message, near, chat, panels) },
    writes && { name: 'reply', text: 'Reply', icon: 'reply', key: 'r', run: () => writing.answer(message) },
    !inThread && (open || Boolean(message.replies)) && {
      name: 'thread',
      text: open ? 'Reply in thread' : 'Thread',
      icon: 'thread',
      key: 't',
      run: () => route.go(threadPath(id, thread ?? seq)),
    },
    open && mine && { name: 'edit', text: 'Edit', icon: 'write', key: 'e', run: () => writing.correct(message) },
    open && {
      name: 'pin',
      text: pinned ? 'Unpin' : 'Pin',
      icon: 'pin',
      key: 'p',
      run: () => void toasts.try(chat.store.actions.pin(id, seq, !pinned)),
    },
    message.body !== '' && { name: 'copy', text: 'Copy text', icon: 'copy', key: 'c', run: () => copy(message.body, 'Text copied') },
    { name: 'link', text: 'Copy link', icon: 'link', key: 'l', run: () => copy(linkTo(id, seq), 'Link copied') },
    {
      name: 'profile',
      text: 'Profile',
      icon: 'people',
      key: 'u',
      run: () => panels.show({ name: 'profile', user: message.author }),
    },
    ...oversight,
    !mine && { name: 'report', text: 'Report', icon: 'flag', key: '!', run: () => panels.show({ name: 'report', message }) },
    open && (mine || chat.runs(conversation)) && {
      name: 'delete',
      text: 'Delete',
      icon: 'trash',
      key: 'Delete',
      run: () => panels.show({ name: 'deleteMessage', message }),
    },
  ];
  return all.filter((act): act is Act => act !== false);
}

export function toggleReaction(chat: Chat, message: Message, emoji: string): void {
  const mine = message.reactions?.find((one) => one.emoji === emoji)?.users.includes(chat.me) ?? false;
  if (!mine) taste.used(emoji);
  void toasts.try(chat.store.actions.react(message.conversation, message.seq, emoji, !mine));
}

function pickReaction(message: Message, near: DOMRect | null, chat: Chat, panels: Panels): void {
  panels.show({ name: 'emoji', near, pick: (emoji) => toggleReaction(chat, message, emoji) });
}

/** For those who run the conversation what stood there before, for admins who got it; of deleted messages, too. */
function oversightOf(message: Message, conversation: Conversation, chat: Chat, panels: Panels): Act[] {
  const judges = chat.runs(conversation) || (chat.isAdmin && conversation.kind !== 'direct');
  const changed = message.edited_at || message.deleted;
  const all: (Act | false)[] = [
    Boolean(judges && changed) && { name: 'history', text: 'What stood there before', icon: 'clock', key: 'h', run: () => panels.show({ name: 'history', message }) },
    chat.isAdmin && { name: 'delivery', text: 'Who got it', icon: 'path', key: 'w', run: () => panels.show({ name: 'delivery', message }) },
  ];
  return all.filter((act): act is Act => act !== false);
}

const linkTo = (conversation: Id, seq: number) => `${location.origin}${messagePath(conversation, seq)}`;
