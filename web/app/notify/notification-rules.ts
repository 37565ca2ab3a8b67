/** What a person wants to be told of. Pure: the present is an argument, in milliseconds. */
import type { Conversation, Message } from '../../client';
import { mentionsMe, type View } from '../../client';

export function isMuted({ muted_until }: Conversation, now: number): boolean {
  return Boolean(muted_until) && Date.parse(muted_until ?? '') > now;
}

/** Nothing of it is worth a badge. */
export function isQuiet(conversation: Conversation, now: number): boolean {
  return isMuted(conversation, now) || conversation.level === 'nothing';
}

/** How many of its unread messages this person asked to be told of. */
export function loudOf(conversation: Conversation, now: number): number {
  if (isQuiet(conversation, now)) return 0;
  return conversation.level === 'mentions' ? (conversation.mentions ?? 0) : conversation.unread;
}

type Known = Pick<View, 'me' | 'blocked'>;

/** Whether a new message is worth interrupting for: it calls this person, or is written to nobody else. */
export function interrupts(message: Message, conversation: Conversation, view: Known, now: number): boolean {
  if (message.author === view.me.id || view.blocked.has(message.author)) return false;
  if (isQuiet(conversation, now) || message.seq <= conversation.read_seq) return false;
  if (mentionsMe(message, view)) return true;
  return conversation.kind !== 'channel' && conversation.level !== 'mentions';
}
