/** Who is meant, in words. Pure. */
import type { Id, Reaction } from '../../client';

const MOST = 12;

/** `You, Ben and 3 others`. */
export function whoReacts({ users, count }: Reaction, me: Id, name: (id: Id) => string): string {
  const first = [...users.filter((id) => id === me), ...users.filter((id) => id !== me)].slice(0, MOST);
  const names = first.map((id) => (id === me ? 'You' : name(id)));
  return listed(names, (count ?? users.length) - names.length);
}

/** Who has seen the last message; nothing while nobody has. */
export function whoHasSeen(readers: Id[], others: number, name: (id: Id) => string): string {
  if (!readers.length) return '';
  if (others === 1) return 'Seen';
  if (readers.length === others) return 'Seen by everyone';
  const names = readers.slice(0, 5).map(name);
  return `Seen by ${listed(names, readers.length - names.length)}`;
}

function listed(names: string[], more: number): string {
  const all = more > 0 ? [...names, more === 1 ? 'one other' : `${more} others`] : names;
  return all.length > 1 ? `${all.slice(0, -1).join(', ')} and ${all.at(-1)}` : (all[0] ?? '');
}
