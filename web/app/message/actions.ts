/** The actions on a message, and the rules for which of them a user may take. */
import { SvelteSet } from 'svelte/reactivity';
import { type Conversation, type Id, keyOf, type Message, type MessageKey } from '../../client';
import type { Chat } from '../chat.svelte';
import { canUndo, undoSend } from '../composer/undo.svelte';
import type { Writing } from '../composer/writing.svelte';
import { emojiPreferences } from '../emoji/emoji-preferences.svelte';
import { messages as m } from '../messages';
import type { Panels } from '../panels.svelte';
import type { IconName } from '../parts/Icon.svelte';
import { messagePath, route, threadPath } from '../route.svelte';
import { copy } from '../copy';
import { toasts } from '../toasts.svelte';

export type ActionName =
  | 'react'
  | 'stop'
  | 'reply'
  | 'thread'
  | 'edit'
  | 'pin'
  | 'save'
  | 'remind'
  | 'forward'
  | 'undo'
  | 'unread'
  | 'copy'
  | 'link'
  | 'profile'
  | 'history'
  | 'delivery'
  | 'report'
  | 'delete';

export interface MessageAction {
  name: ActionName;
  text: string;
  icon: IconName;
  /** The key that runs it while the message has the focus. */
  key: string;
  run: (near: DOMRect | null) => void;
}

interface Around {
  chat: Chat;
  panels: Panels;
  writing: Writing;
}

/** Return the actions that the user may take on a message, most used first. */
export function actionsFor(message: Message, { chat, panels, writing }: Around): MessageAction[] {
  const conversation = chat.view.conversations.get(message.conversation);
  if (!conversation) return [];
  const { conversation: id, seq, thread, pinned } = message;
  const mine = message.author === chat.me;
  const open = !conversation.archived;
  const writes = mayWrite(conversation, chat);
  const inThread = writing.thread !== null;
  const oversight = oversightFor(message, conversation, chat, panels);
  if (message.deleted) return oversight;
  const all: (MessageAction | false)[] = [
    open && canUndo(chat, message) && { name: 'undo', text: m.message.undo, icon: 'again', key: 'z', run: () => void undoSend(chat, message, writing) },
    open && { name: 'react', text: m.message.addReaction, icon: 'smile', key: '+', run: (near) => pickReaction(message, near, chat, panels) },
    writes && { name: 'reply', text: m.message.reply, icon: 'reply', key: 'r', run: () => writing.startReply(message) },
    !inThread && (open || Boolean(message.replies)) && {
      name: 'thread',
      text: open ? m.message.replyInThread : m.message.viewThread,
      icon: 'thread',
      key: 't',
      run: () => route.go(threadPath(id, thread ?? seq)),
    },
    writes && Boolean(message.streaming) && {
      name: 'stop',
      text: m.message.stop,
      icon: 'stop',
      key: 's',
      run: () => void toasts.try(stopWriting(message, chat)),
    },
    open && mine && !message.streaming && { name: 'edit', text: m.message.edit, icon: 'write', key: 'e', run: () => writing.startEdit(message) },
    open && {
      name: 'pin',
      text: pinned ? m.message.unpin : m.message.pin,
      icon: 'pin',
      key: 'p',
      run: () => void toasts.try(chat.store.actions.pin(id, seq, !pinned)),
    },
    saveAction(message, chat),
    !message.streaming && { name: 'forward', text: m.message.forward, icon: 'forward', key: 'f', run: () => panels.show({ name: 'forward', message }) },
    { name: 'remind', text: m.message.remindMe, icon: 'clock', key: 'm', run: () => panels.show({ name: 'remind', message }) },
    !inThread && unreadAction(message, conversation, chat),
    message.body !== '' && { name: 'copy', text: m.message.copyText, icon: 'copy', key: 'c', run: () => copy(message.body, m.message.textCopied) },
    { name: 'link', text: m.message.copyLink, icon: 'link', key: 'l', run: () => copy(linkTo(id, seq), m.message.linkCopied) },
    {
      name: 'profile',
      text: m.message.viewProfile,
      icon: 'people',
      key: 'v',
      run: () => panels.show({ name: 'profile', user: message.author }),
    },
    ...oversight,
    !mine && { name: 'report', text: m.message.report, icon: 'flag', key: '!', run: () => panels.show({ name: 'report', message }) },
    open && (mine || chat.runs(conversation)) && {
      name: 'delete',
      text: m.message.delete,
      icon: 'trash',
      key: 'Delete',
      run: () => panels.show({ name: 'deleteMessage', message }),
    },
  ];
  return all.filter((action): action is MessageAction => action !== false);
}

function saveAction({ conversation, seq }: Message, chat: Chat): MessageAction {
  const saved = chat.view.saved.has(keyOf(conversation, seq));
  return {
    name: 'save',
    text: saved ? m.message.unsave : m.message.saveForLater,
    icon: 'bookmark',
    key: 'a',
    run: () => void toasts.try(chat.store.actions.save(conversation, seq, saved ? null : 'open')),
  };
}

/** Mark the conversation as unread from this message on, or as read if that was done here. */
function unreadAction({ seq }: Message, conversation: Conversation, chat: Chat): MessageAction | false {
  if (!conversation.role) return false;
  const { id, read_seq, last_seq, marked_unread } = conversation;
  const here = Boolean(marked_unread) && read_seq === seq - 1;
  return {
    name: 'unread',
    text: here ? m.message.markRead : m.message.markUnread,
    icon: 'unread',
    key: 'u',
    run: () => (here ? chat.store.markRead(id, last_seq, true) : void toasts.try(chat.store.markUnread(id, seq))),
  };
}

/** Return true if the user may post in the conversation. */
export function mayWrite(conversation: Conversation, chat: Chat): boolean {
  return !conversation.archived && (!conversation.read_only || chat.runs(conversation));
}

/** Streamed messages whose authors this user has asked to stop. */
export const stopping = new SvelteSet<MessageKey>();

export async function stopWriting({ conversation, seq }: Message, chat: Chat): Promise<void> {
  await chat.api.stop(conversation, seq);
  stopping.add(keyOf(conversation, seq));
}

export function toggleReaction(chat: Chat, message: Message, emoji: string): void {
  const mine = message.reactions?.find((one) => one.emoji === emoji)?.users.includes(chat.me) ?? false;
  if (!mine) emojiPreferences.used(emoji);
  void toasts.try(chat.store.actions.react(message.conversation, message.seq, emoji, !mine));
}

function pickReaction(message: Message, near: DOMRect | null, chat: Chat, panels: Panels): void {
  panels.show({ name: 'emoji', near, pick: (emoji) => toggleReaction(chat, message, emoji) });
}

/** Return the edit history, for owners and admins, and the delivery details, for server admins. Both exist for deleted messages too. */
function oversightFor(message: Message, conversation: Conversation, chat: Chat, panels: Panels): MessageAction[] {
  const moderates = chat.runs(conversation) || (chat.isAdmin && conversation.kind !== 'direct');
  const changed = message.edited_at || message.deleted;
  const all: (MessageAction | false)[] = [
    Boolean(moderates && changed) && { name: 'history', text: m.message.editHistory, icon: 'clock', key: 'h', run: () => panels.show({ name: 'history', message }) },
    chat.isAdmin && { name: 'delivery', text: m.message.deliveryDetails, icon: 'path', key: 'w', run: () => panels.show({ name: 'delivery', message }) },
  ];
  return all.filter((action): action is MessageAction => action !== false);
}

const linkTo = (conversation: Id, seq: number) => `${location.origin}${messagePath(conversation, seq)}`;
