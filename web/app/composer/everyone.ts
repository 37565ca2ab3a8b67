/** Mentions of everyone in a conversation, or of a large group, which ask before they are sent. Pure. */
import type { Conversation } from '../../client';
import type { UserGroup } from '../../client/schema';
import { namesMentioned } from '../markdown/render';

export type Everyone = 'channel' | 'here';

/** Members of a conversation in which such a mention is no surprise. */
const FEW = 5;

/**
 * Return whom the text mentions if more than a few members would be notified, else null: everyone, or a group of `groups`.
 * `size` may be unknown.
 */
export function asksFirst(
  text: string,
  { kind, members }: Pick<Conversation, 'kind' | 'members'>,
  size: number | undefined,
  groups: UserGroup[] = [],
): Everyone | UserGroup | null {
  const count = size ?? members?.length ?? Infinity;
  if (kind === 'direct' || count <= FEW || !text.includes('@')) return null;
  const names = namesMentioned(text);
  if (names.has('channel')) return 'channel';
  return names.has('here') ? 'here' : (groups.find((group) => group.size > FEW && names.has(group.name)) ?? null);
}
