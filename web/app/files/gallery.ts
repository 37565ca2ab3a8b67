/** The pictures that the viewer shows, starting from one of them. Pure. */
import { type Message, keyOf, type SentFile, type View } from '../../client';
import { displayOf } from './labels';

/** Return the pictures of the loaded conversation or thread, without those of deleted messages and blocked users. */
export function picturesAround(view: View, message: Message, thread: number | null): SentFile[] {
  const loaded =
    thread === null
      ? view.timelines.get(message.conversation)?.messages
      : view.replies.get(keyOf(message.conversation, thread))?.messages;
  const messages = loaded?.some((one) => one.seq === message.seq) ? loaded : [message];
  const visible = messages.filter((one) => !one.deleted && !view.blocked.has(one.author));
  return visible.flatMap((one) => (one.files ?? []).filter((file) => displayOf(file) === 'picture'));
}
