/**
 * The session of a page in a frame. The page around it logs the user in with a JSON Web Token: in the fragment of the
 * address (`#token=…`), which browsers send to no server, or in a message, `{ type: 'tandem-token', token }`. The frame
 * asks for one with `{ type: 'tandem-token-wanted' }` when it needs it.
 *
 * Tokens are taken only from the page around, and browsers show this page only in pages that FRAME_ANCESTORS allows.
 * Otherwise any link could log a user in under another account.
 */
import { asProblem } from '../../client';
import { session } from '../session.svelte';

type State = 'starting' | 'wanted' | 'refused' | 'cookie blocked';

class FrameSession {
  /** Why the user is not logged in, while `session` says so. */
  state = $state<State>('starting');
  private readonly framed = window.parent !== window;
  private lastToken = '';

  /** Log in with the token of the address, or else continue the session of the cookie. */
  start(): void {
    addEventListener('message', (event) => this.receive(event));
    const token = takeFragmentToken();
    void (token && this.framed ? this.logIn(token) : this.resume());
  }

  /** Continue the session of the cookie, which another frame may have renewed. Ask for a token if there is none. */
  async resume(): Promise<void> {
    await session.check();
    if (session.state.name !== 'out') return;
    this.state = 'wanted';
    // every page may read this question, as it says nothing
    if (this.framed) window.parent.postMessage({ type: 'tandem-token-wanted' }, '*');
  }

  private receive({ source, data }: MessageEvent): void {
    const { type, token } = Object(data) as { type?: unknown; token?: unknown };
    if (!this.framed || source !== window.parent || type !== 'tandem-token' || typeof token !== 'string') return;
    // a page that answers every question with the same token would be asked without end
    if (session.state.name !== 'out' || token !== this.lastToken) void this.logIn(token);
    else this.state = 'refused';
  }

  private async logIn(token: string): Promise<void> {
    this.lastToken = token;
    try {
      await session.api.exchange(token);
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status !== 401) session.state = { name: 'unreachable', problem };
      else [session.state, this.state] = [{ name: 'out', ended: false }, 'refused'];
      return;
    }
    await session.check();
    if (session.state.name !== 'out') return;
    this.state = 'cookie blocked';
    console.warn('The browser did not keep the session cookie. In pages of other sites it needs COOKIE_SAMESITE=none.');
  }
}

/** Return the token in the address, and remove it from there. */
function takeFragmentToken(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
  if (token) history.replaceState(null, '', location.pathname + location.search);
  return token;
}

export const frameSession = new FrameSession();
