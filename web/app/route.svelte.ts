/**
 * Where in the app this page is: `/` is the list, `/c/12` a conversation, `/c/12/340` a message in it,
 * `/c/12/thread/5` a thread beside it. Back and forward work.
 */
import type { Id } from '../client';

export class Route {
  path = $state(location.pathname);
  /** Goes up whenever one goes somewhere, also where one is already. */
  steps = $state(0);
  private readonly place = $derived(
    /^\/c\/(\d{1,15})(?:\/(?:(\d{1,15})|thread\/(\d{1,15})))?$/.exec(this.path),
  );

  constructor() {
    addEventListener('popstate', () => {
      this.path = location.pathname;
      this.steps += 1;
    });
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

  go(path: string, replace = false): void {
    this.steps += 1;
    if (path === this.path) return;
    history[replace ? 'replaceState' : 'pushState'](null, '', path);
    this.path = path;
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
    if (!link || link.target || link.origin !== location.origin) return;
    event.preventDefault();
    this.go(link.pathname);
  }
}

export const route = new Route();
export const pathOf = (conversation: Id): string => `/c/${conversation}`;
export const messagePath = (conversation: Id, seq: number): string => `/c/${conversation}/${seq}`;
export const threadPath = (conversation: Id, root: number): string => `/c/${conversation}/thread/${root}`;

function numberIn(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}
