/**
 * The route of the page. `/` is the list, `/c/12` a conversation, `/c/12/340` a message in it, `/c/12/thread/5` a thread
 * beside it, `/c/12/details` its details. `?find=…` opens a search beside any of them. `/activity`, `/threads`,
 * `/later`, `/channels`, `/people/…`, `/reports`, `/settings/…`, `/search` and `/join` are pages of their own;
 * `/threads/12.5` shows a thread. Back and forward work.
 *
 * Below `/embed`, a conversation is in a frame of another page. The frame stays in this conversation and adds nothing to
 * the history of that page. All other addresses open in a new tab.
 */
import type { Id } from '../client';
import { keep, kept } from './local-storage';

const CONVERSATION = /^\/c\/(\d{1,15})(?:\/(?:(\d{1,15})|thread\/(\d{1,15})|(details)))?$/;

export type PageName = 'activity' | 'threads' | 'later' | 'channels' | 'people' | 'reports' | 'settings' | 'search' | 'join';
const PAGE = /^\/(activity|threads|later|channels|people|reports|settings|search|join)(?:\/([^/]*))?$/;

const EMBED = '/embed';

export class Route {
  /** True if this page shows one conversation in a frame of another page. */
  readonly embedded = location.pathname.startsWith(`${EMBED}/`);
  path = $state(this.currentPath());
  query = $state.raw(new URLSearchParams(location.search));
  /** Increases with every navigation, even to the current address. */
  steps = $state(0);
  private readonly parts = $derived(CONVERSATION.exec(this.path));
  private readonly single = $derived(PAGE.exec(this.path));

  constructor() {
    addEventListener('popstate', () => this.update());
  }

  get conversation(): Id | null {
    return numberIn(this.parts?.[1]);
  }

  /** The message to show. */
  get message(): number | null {
    return numberIn(this.parts?.[2]);
  }

  /** The thread that is open. */
  get thread(): number | null {
    return numberIn(this.parts?.[3]);
  }

  /** True while the details are open beside a conversation. */
  get details(): boolean {
    return this.parts?.[4] !== undefined;
  }

  get page(): PageName | null {
    return (this.single?.[1] as PageName | undefined) ?? null;
  }

  /** True for an address of this app. */
  get isKnown(): boolean {
    return this.path === '/' || this.parts !== null || this.single !== null;
  }

  /** The part of a page: `blocked` in `/settings/blocked`. */
  get part(): string {
    return decodeURIComponent(this.single?.[2] ?? '');
  }

  /** The query of the open search; null if none is open. */
  get find(): string | null {
    return this.query.get('find');
  }

  /** Go to an address of this app, with or without a query. */
  go(address: string, replace = false): void {
    const { pathname, search } = new URL(address, location.origin);
    if (this.embedded) return this.goInFrame(pathname, search);
    const moves = pathname !== this.path || search !== location.search;
    if (moves) history[replace ? 'replaceState' : 'pushState'](null, '', pathname + search);
    this.update();
  }

  /** Stay on the page and change parameters of its query; null removes one. */
  ask(changes: Record<string, string | null>, replace = false): void {
    history[replace ? 'replaceState' : 'pushState'](null, '', this.path + this.asking(changes));
    this.query = new URLSearchParams(location.search);
  }

  /** Return the query with these changes, including its question mark. */
  asking(changes: Record<string, string | null>): string {
    const query = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) query.delete(name);
      else query.set(name, value);
    }
    return query.size ? `?${query}` : '';
  }

  /** Follow a plain click on a link of this app without loading a page. */
  follow(event: MouseEvent): void {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = (event.target as Element).closest('a');
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }

  /** Show a message or a thread of this conversation. Open other pages in a new tab that cannot reach this one. */
  private goInFrame(pathname: string, search: string): void {
    const [, conversation, , , details] = CONVERSATION.exec(pathname) ?? [];
    const inside = numberIn(conversation) === this.conversation && details === undefined && !search;
    if (!inside) return void (pathname !== '/' && window.open(pathname + search, '_blank', 'noopener'));
    history.replaceState(null, '', EMBED + pathname + location.search);
    this.update();
  }

  private currentPath(): string {
    return this.embedded ? location.pathname.slice(EMBED.length) : location.pathname;
  }

  private update(): void {
    this.path = this.currentPath();
    this.query = new URLSearchParams(location.search);
    this.steps += 1;
  }
}

const lastKey = (user: Id) => `tandem.last.${user}`;

/** Remember the conversation that this browser showed last. */
export function rememberPlace(user: Id, conversation: Id): void {
  keep('device', lastKey(user), String(conversation));
}

/** Return the conversation that this browser showed last; 0 for none. */
export const lastPlace = (user: Id): Id => Number(kept('device', lastKey(user)) ?? 0);

export const route = new Route();
export const pathOf = (conversation: Id): string => `/c/${conversation}`;
export const messagePath = (conversation: Id, seq: number): string => `/c/${conversation}/${seq}`;
export const threadPath = (conversation: Id, root: number): string => `/c/${conversation}/thread/${root}`;
export const threadPagePath = (conversation: Id, root: number): string => `/threads/${conversation}.${root}`;
export const detailsPath = (conversation: Id): string => `/c/${conversation}/details`;

function numberIn(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}
