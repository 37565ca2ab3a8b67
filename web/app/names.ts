/** The names of users and conversations on the screen. Pure. */
import type { Conversation, Id, User } from '../client';
import { limitMarks } from './appearance';
import { messages as m } from './messages';

type People = ReadonlyMap<Id, User>;
/** The fields that a title is made of. */
export type Named = Pick<Conversation, 'kind' | 'name'> & { members?: Id[] | null };

export function nameOf(user: Pick<User, 'name' | 'display_name'> | undefined): string {
  return limitMarks(user?.display_name || user?.name || '…', 'name');
}

/** Return the conversation's name, or the names of its other members. */
export function titleOf(conversation: Named, people: People, me: Id): string {
  if (conversation.name) return limitMarks(conversation.name, 'name');
  const others = othersOf(conversation, me);
  if (!others.length) return conversation.kind === 'direct' ? m.app.you(nameOf(people.get(me))) : m.app.unnamedGroup;
  return others.map((id) => nameOf(people.get(id))).join(m.app.comma);
}

export function othersOf(conversation: Pick<Named, 'members'>, me: Id): Id[] {
  return (conversation.members ?? []).filter((id) => id !== me);
}

/** Return one or two letters for a name, in any script. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = (word: string | undefined) => /[\p{L}\p{N}]/u.exec(word ?? '')?.[0] ?? '';
  const letters = first(words[0]) + (words.length > 1 ? first(words.at(-1)) : '');
  return letters.toLocaleUpperCase() || '?';
}

/** Compare by the time of the last message, newest first, or by the time of creation if there is none. */
export function byRecency(a: Conversation, b: Conversation): number {
  const at = (one: Conversation) => Date.parse(one.last_message?.created_at ?? one.created_at ?? '1970-01-01');
  return at(b) - at(a) || b.id - a.id;
}
