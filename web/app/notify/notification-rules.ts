/** Rules for unread counts and notifications. Pure: the current time is an argument, in milliseconds. */
import type { Conversation, Message } from '../../client';
import { mentionsMe, type View } from '../../client';

export function isMuted({ muted_until }: Conversation, now: number): boolean {
  return Boolean(muted_until) && Date.parse(muted_until ?? '') > now;
}

/** Return true if the conversation shows no unread count and no notifications. */
export function isQuiet(conversation: Conversation, now: number): boolean {
  return isMuted(conversation, now) || conversation.level === 'nothing';
}

/** Return the number of unread messages to show: only those that the user chose to be notified about. */
export function unreadToShow(conversation: Conversation, now: number): number {
  if (isQuiet(conversation, now)) return 0;
  return conversation.level === 'mentions' ? (conversation.mentions ?? 0) : conversation.unread;
}

/** Return the number of unread messages that call the user: mentions, and messages outside of channels. */
export function callsToShow(conversation: Conversation, now: number): number {
  if (conversation.kind !== 'channel') return unreadToShow(conversation, now);
  return isQuiet(conversation, now) ? 0 : Math.min(conversation.mentions ?? 0, unreadToShow(conversation, now));
}

type Known = Pick<View, 'me' | 'blocked'>;

/**
 * Return true if a new message interrupts the user: it mentions them, has one of their keywords (`called`), or was sent
 * outside a channel.
 */
export function interrupts(message: Message, conversation: Conversation, view: Known, now: number, called = false): boolean {
  if (message.author === view.me.id || view.blocked.has(message.author)) return false;
  if (isQuiet(conversation, now) || message.seq <= conversation.read_seq) return false;
  if (called || mentionsMe(message, view)) return true;
  return conversation.kind !== 'channel' && conversation.level !== 'mentions';
}
