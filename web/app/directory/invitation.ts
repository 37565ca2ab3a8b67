/**
 * A link that lets somebody in: `/join#code`. What stands behind the # is sent to no server and stands in no log
 * on the way; `/join/code` is understood as well. The code waits in this tab while its person signs up.
 */
import { keep, kept } from '../local-storage';

const KEY = 'tandem.invitation';

export const linkFor = (code: string): string => `${location.origin}/join#${code}`;

/** The code that this page was opened with: it leaves the address, and stays in the tab until it is used. */
export function takeInvitation(): string | null {
  const code = location.hash.slice(1) || (/^\/join\/([^/]+)$/.exec(location.pathname)?.[1] ?? '');
  if (location.pathname.startsWith('/join') && code) {
    keep('tab', KEY, decodeURIComponent(code));
    history.replaceState(null, '', '/join');
  }
  return kept('tab', KEY);
}

export const forgetInvitation = (): void => keep('tab', KEY, '');
