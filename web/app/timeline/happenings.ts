/**
 * What happened in a conversation beside its messages: who joined or left, and a new name. The log tells it while the app
 * is open, or catches up; it is no part of the messages that are loaded later. Pure.
 */
import type { Conversation, Entry, Id, Message, Role } from '../../client';

export type Happening = {
  /** It happened after the message with this seq. */
  after: number;
  key: string;
} & ({ kind: 'joined' | 'left'; users: Id[] } | { kind: 'renamed'; name: string });

/** What is known of the conversation before the entry. */
export interface Before {
  conversation: Pick<Conversation, 'last_seq' | 'name' | 'kind' | 'members'> | undefined;
  roles: ReadonlyMap<Id, Role> | undefined;
  messages: readonly Pick<Message, 'author'>[] | undefined;
}

export const MOST = 50;

/** Return the happenings of a conversation after an entry of the log; the same array if nothing happened. */
export function withEntry(all: readonly Happening[], entry: Entry, before: Before): readonly Happening[] {
  const { conversation } = before;
  if (!conversation || conversation.kind === 'direct') return all;
  const place = { after: conversation.last_seq, key: entry.id };
  if (entry.event === 'conversation') {
    const { name } = entry.data;
    return name && name !== conversation.name ? add(all, { ...place, kind: 'renamed', name }) : all;
  }
  if (entry.event !== 'member') return all;
  const { user, role } = entry.data;
  if (role !== null && isMember(user, role, before)) return all; // a new role
  const kind = role === null ? 'left' : 'joined';
  const last = all.at(-1);
  // several in a row are one line
  const continues = last?.kind === kind && last.after === place.after;
  if (!continues || !last) return add(all, { ...place, kind, users: [user] });
  const users = [...last.users.filter((one) => one !== user), user];
  return [...all.slice(0, -1), { ...last, users }];
}

function add(all: readonly Happening[], one: Happening): readonly Happening[] {
  return all.some(({ key }) => key === one.key) ? all : [...all.slice(1 - MOST), one];
}

/** Return true if the user was a member before. If no list is loaded: those who wrote, and those with more rights than new members. */
function isMember(user: Id, role: Role, { conversation, roles, messages }: Before): boolean {
  if (roles) return roles.has(user);
  if (conversation?.members) return conversation.members.includes(user);
  return role !== 'member' || Boolean(messages?.some((one) => one.author === user));
}
