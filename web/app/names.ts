/** What people and conversations are called on screen. Pure. */
import type { Conversation, Id, User } from '../client';

type People = ReadonlyMap<Id, User>;
/** What a title is made of. */
export type Named = Pick<Conversation, 'kind' | 'name'> & { members?: Id[] | null };

export function nameOf(user: Pick<User, 'name' | 'display_name'> | undefined): string {
  return user?.display_name || user?.name || '…';
}

/** A channel's name, or the names of the others in it. */
export function titleOf(conversation: Named, people: People, me: Id): string {
  if (conversation.name) return conversation.name;
  const others = othersOf(conversation, me);
  if (!others.length) return conversation.kind === 'direct' ? `${nameOf(people.get(me))} (you)` : 'Group';
  return others.map((id) => nameOf(people.get(id))).join(', ');
}

export function othersOf(conversation: Pick<Named, 'members'>, me: Id): Id[] {
  return (conversation.members ?? []).filter((id) => id !== me);
}

/** One or two letters that stand for a name, whatever its script. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = (word: string | undefined) => /[\p{L}\p{N}]/u.exec(word ?? '')?.[0] ?? '';
  const letters = first(words[0]) + (words.length > 1 ? first(words.at(-1)) : '');
  return letters.toLocaleUpperCase() || '?';
}

/** Newest talk first; one without any stands where it was made. */
export function byRecency(a: Conversation, b: Conversation): number {
  const at = (one: Conversation) => Date.parse(one.last_message?.created_at ?? one.created_at ?? '1970-01-01');
  return at(b) - at(a) || b.id - a.id;
}
