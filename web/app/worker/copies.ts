/**
 * What the service worker keeps for times without a network: the page with its files, and what the user read last. Pure.
 */

/** How a request is answered: the page of the app, one of its files, data that is kept, or the end of a session. */
export type Kind = 'page' | 'file' | 'data' | 'users' | 'session';

const FILES = /^\/(?:assets\/|look\.js$|icon-|favicon\.ico$)/;
const APP = /^\/(?!api\/|assets\/|health\/|metrics|embed\/|hooks\/)[^.]*$/;
const DATA = /^\/api\/(?:users\/me|announcement|groups|emoji(?:\/\d+)?|chat\/conversations|chat\/threads|avatars\/\d+)$/;
const MESSAGES = /^\/api\/chat\/conversations\/\d+\/messages$/;
/** Parameters that ask for another page than the newest one. */
const ELSEWHERE = ['after', 'before', 'around', 'type'];
/** The conversations whose newest messages are kept. */
export const CONVERSATIONS_MOST = 30;

export interface Asked {
  method: string;
  mode: string;
  url: string;
}

/** Return how a request of this site is answered; null if the browser does it alone. */
export function kindOf({ method, mode, url }: Asked): Kind | null {
  const { pathname, searchParams } = new URL(url);
  if (method !== 'GET') return pathname.startsWith('/api/sessions') || pathname === '/api/accounts' ? 'session' : null;
  if (mode === 'navigate') return APP.test(pathname) ? 'page' : null;
  if (FILES.test(pathname)) return 'file';
  if (pathname === '/api/users' && searchParams.has('ids')) return 'users';
  if (MESSAGES.test(pathname)) return ELSEWHERE.some((name) => searchParams.has(name)) ? null : 'data';
  return DATA.test(pathname) ? 'data' : null;
}

/**
 * Return the name under which an answer is kept: newest messages by their conversation, however many were asked for. A
 * picture that does not move has its own.
 */
export function keyOf(url: string): string {
  const { origin, pathname, searchParams } = new URL(url);
  return origin + pathname + (searchParams.has('still') ? '?still=1' : '');
}

/** Return the keys of conversations to forget, the ones read longest ago. `keys`: all that is kept, in order. */
export function surplus(keys: string[]): string[] {
  const pages = keys.filter((key) => MESSAGES.test(new URL(key).pathname));
  return pages.slice(0, Math.max(0, pages.length - CONVERSATIONS_MOST));
}
