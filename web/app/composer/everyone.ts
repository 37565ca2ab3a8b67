/** Mentions of everyone in a conversation, which ask before they are sent. Pure. */
import type { Conversation } from '../../client';
import { namesMentioned } from '../markdown/render';

export type Everyone = 'channel' | 'here';

/** Members of a conversation in which such a mention is no surprise. */
const FEW = 5;

/** Return whom the text mentions if more than a few members would be notified, else null. `size` may be unknown. */
export function asksFirst(text: string, { kind, members }: Pick<Conversation, 'kind' | 'members'>, size: number | undefined): Everyone | null {
  const count = size ?? members?.length ?? Infinity;
  if (kind === 'direct' || count <= FEW || !text.includes('@')) return null;
  const names = namesMentioned(text);
  return names.has('channel') ? 'channel' : names.has('here') ? 'here' : null;
}
