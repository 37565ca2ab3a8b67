/**
 * Where in the app this page is: `/` is the list, `/c/12` a conversation, `/c/12/340` a message in it,
 * `/c/12/thread/5` a thread beside it, `/c/12/details` what it is; `?find=…` looks for something beside any of
 * them. `/channels`, `/reports`, `/settings/…`, `/search` and `/join` stand alone. Back and forward work.
 */
import type { Id } from '../client';

const PLACE = /^\/c\/(\d{1,15})(?:\/(?:(\d{1,15})|thread\/(\d{1,15})|(details)))?$/;

export type PageName = 'channels' | 'reports' | 'settings' | 'search' | 'join';
const PAGE = /^\/(channels|reports|settings|search|join)(?:\/([^/]*))?$/;

export class Route {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));
  /** Goes up whenever one goes somewhere, also where one is already. */
  steps = $state(0);
  private readonly place = $derived(PLACE.exec(this.path));
  private readonly alone = $derived(PAGE.exec(this.path));

  constructor() {
    addEventListener('popstate', () => this.arrive());
  }

  get conversation(): Id | null {
    return numberIn(this.place?.[1]);
  }

  /** The message to show. */
  get message(): number | null {
    return numberIn(this.place?.[2]);
  }

  /** The thread that is open. */
  get thread(): number | null {
    return numberIn(this.place?.[3]);
  }

  /** Whether what a conversation is stands beside it. */
  get details(): boolean {
    return this.place?.[4] !== undefined;
  }

  get page(): PageName | null {
    return (this.alone?.[1] as PageName | undefined) ?? null;
  }

  /** The part of a page: `blocked` in `/settings/blocked`. */
  get part(): string {
    return decodeURIComponent(this.alone?.[2] ?? '');
  }

  /** What is looked for; null while nothing is. */
  get find(): string | null {
    return this.query.get('find');
  }

  /** An address of this app, with or without a query. */
  go(address: string, replace = false): void {
    const { pathname, search } = new URL(address, location.origin);
    const moves = pathname !== this.path || search !== location.search;
    if (moves) history[replace ? 'replaceState' : 'pushState'](null, '', pathname + search);
    this.arrive();
  }

  /** The same place, with this in its query; null takes it away. */
  ask(changes: Record<string, string | null>, replace = false): void {
    history[replace ? 'replaceState' : 'pushState'](null, '', this.path + this.asking(changes));
    this.query = new URLSearchParams(location.search);
  }

  /** The query as it would be then, with its question mark. */
  asking(changes: Record<string, string | null>): string {
    const query = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) query.delete(name);
      else query.set(name, value);
    }
    return query.size ? `?${query}` : '';
  }

  /** Follows a plain click on a link of this app without loading a page. */
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

  private arrive(): void {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
    this.steps += 1;
  }
}

export const route = new Route();
export const pathOf = (conversation: Id): string => `/c/${conversation}`;
export const messagePath = (conversation: Id, seq: number): string => `/c/${conversation}/${seq}`;
export const threadPath = (conversation: Id, root: number): string => `/c/${conversation}/thread/${root}`;
export const detailsPath = (conversation: Id): string => `/c/${conversation}/details`;

function numberIn(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}
