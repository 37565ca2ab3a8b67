/** Labels that list users. Pure. */
import type { Id, Reaction } from '../../client';
import { messages as m } from '../messages';

const MOST = 12;

/** Name the users of a reaction: `You, Ben and 3 others`. */
export function reactionNames({ users, count }: Reaction, me: Id, name: (id: Id) => string): string {
  const first = [...users.filter((id) => id === me), ...users.filter((id) => id !== me)].slice(0, MOST);
  const names = first.map((id) => (id === me ? m.message.you : name(id)));
  return listed(names, (count ?? users.length) - names.length);
}

/** Name the readers of the last message; empty without readers. `others`: how many members could have read it. */
export function seenLabel(readers: Id[], others: number, name: (id: Id) => string): string {
  if (!readers.length) return '';
  if (others === 1) return m.message.seen;
  if (readers.length === others) return m.message.seenByEveryone;
  const names = readers.slice(0, 5).map(name);
  return m.message.seenBy(listed(names, readers.length - names.length));
}

function listed(names: string[], more: number): string {
  return m.message.list(more > 0 ? [...names, m.message.others(more)] : names);
}
