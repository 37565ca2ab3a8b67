/**
 * Invite links of the server and of conversations: `/join#code`. Browsers don't send the part after the `#` to a server, so the code is in no log.
 * `/join/code` works too. The tab keeps the code while the user signs up.
 */
import type { InvitePreview } from '../../client/schema';
import { keep, kept } from '../local-storage';

const KEY = 'tandem.invitation';

export const linkFor = (code: string): string => `${location.origin}/join#${code}`;

/** Return the code that this page was opened with, or null. Remove it from the address; the tab keeps it until it is used. */
export function takeInvitation(): string | null {
  const code = location.hash.slice(1) || (/^\/join\/([^/]+)$/.exec(location.pathname)?.[1] ?? '');
  if (location.pathname.startsWith('/join') && code) {
    keep('tab', KEY, decodeURIComponent(code));
    history.replaceState(null, '', '/join');
  }
  return kept('tab', KEY);
}

/** Return the name of the conversation that an invite link leads to, for a sentence; `group` for one without a name. */
export function placeOf({ conversation }: Pick<InvitePreview, 'conversation'>, group: string): string {
  if (!conversation?.name) return group;
  return conversation.kind === 'channel' ? `#${conversation.name}` : conversation.name;
}

export const forgetInvitation = (): void => keep('tab', KEY, '');
