/** Where in the app this page is: `/` is the list, `/c/12` a conversation. Back and forward work. */
import type { Id } from '../client';

export class Route {
  path = $state(location.pathname);

  constructor() {
    addEventListener('popstate', () => (this.path = location.pathname));
  }

  get conversation(): Id | null {
    const match = /^\/c\/(\d{1,15})$/.exec(this.path);
    return match ? Number(match[1]) : null;
  }

  go(path: string, replace = false): void {
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
