/** All the pictures that can be leafed through from one of them. Pure. */
import { type Message, keyOf, type SentFile, type View } from '../../client';
import { lookOf } from './labels';

/** Those of the loaded talk (or thread) around a message; of what is hidden from this person, none. */
export function picturesAround(view: View, message: Message, thread: number | null): SentFile[] {
  const talk =
    thread === null
      ? view.timelines.get(message.conversation)?.messages
      : view.replies.get(keyOf(message.conversation, thread))?.messages;
  const known = talk?.some((one) => one.seq === message.seq) ? talk : [message];
  const seen = known.filter((one) => !one.deleted && !view.blocked.has(one.author));
  return seen.flatMap((one) => (one.files ?? []).filter((file) => lookOf(file) === 'picture'));
}
