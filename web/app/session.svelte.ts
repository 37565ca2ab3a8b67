/** The session of this page. */
import { Api, asProblem, type Id, type Problem, type SignedIn, type User } from '../client';
import type { SignOn } from '../client/schema';
import { forgetAll } from './local-storage';
import { keepLanguage, messages as m, useLanguage } from './messages';
import { forgetCopies } from './notify/worker';
import { route } from './route.svelte';
import { proof } from './security/proof.svelte';
import { look } from './theme.svelte';

type State =
  | { name: 'checking' }
  | { name: 'unreachable'; problem: Problem }
  | { name: 'out'; ended: boolean }
  | { name: 'in'; me: User };

export class Session {
  readonly api = new Api({ reauthenticate: () => proof.ask() });
  state = $state.raw<State>({ name: 'checking' });
  /** How users log in to this server. */
  ways = $state.raw<SignOn>({ password: true, oidc: null, team: '', signup: 'open', setup: false });
  /** All tabs of a browser share one cookie, so logging in or out in one tab applies to all of them. */
  private readonly tabs = 'BroadcastChannel' in globalThis ? new BroadcastChannel('tandem login') : null;

  constructor() {
    if (this.tabs) this.tabs.onmessage = ({ data }) => this.onOtherTab(data as Id | null);
  }

  /** The name of the team, or of the app before the team has one. */
  get team(): string {
    return this.ways.team || m.app.name;
  }

  /** Ask the server which user the cookie belongs to, and how users log in. */
  async check(): Promise<void> {
    const ways = this.api.signOn().then((found) => void (this.ways = found), () => undefined);
    try {
      this.state = { name: 'in', me: await this.api.me() };
      useLanguage(this.state.me.language ?? '');
      this.tabs?.postMessage(this.state.me.id); // other tabs may still show the log-in screen
    } catch (error) {
      const problem = asProblem(error);
      await ways;
      this.state = problem.status === 401 ? { name: 'out', ended: false } : { name: 'unreachable', problem };
    }
  }

  /** Load the user again, after the account has changed. */
  async refresh(): Promise<void> {
    const me = await this.api.me();
    if (this.state.name === 'in') this.state = { name: 'in', me };
    useLanguage(me.language ?? '');
  }

  enter(signedIn: SignedIn): void {
    this.state = { name: 'in', me: signedIn.user };
    // the response to logging in has no private settings, and does not say whether an admin needs a second step first
    void this.refresh().catch(() => undefined);
    this.tabs?.postMessage(signedIn.user.id);
  }

  /** Let other tabs continue that the server refused while the password, and with it the cookie, changed. */
  announceNewCookie(): void {
    if (this.state.name === 'in') this.tabs?.postMessage(this.state.me.id);
  }

  /**
   * End the session here and on the server, and delete what this browser stores for the app: drafts, unsent messages,
   * searches. If the server is unreachable, the user stays logged in. `forget` deletes the unsent messages.
   */
  async logOut(forget: () => Promise<void>): Promise<void> {
    await this.api.logOut();
    await this.gone(forget);
  }

  /** Delete what this browser stores for the app and leave in all tabs, after the account was deleted. */
  async gone(forget: () => Promise<void>): Promise<void> {
    await forgetCopies().catch(() => undefined);
    await forget().catch(() => undefined); // the browser may have deleted it already, as the response to a log-out asks
    keepLanguage(forgetAll);
    look.choose({});
    this.leave();
    this.tabs?.postMessage(null);
  }

  /** Show the log-in screen, after the server ended the session because it expired or was revoked. */
  ended(): void {
    if (this.state.name === 'in') this.state = { name: 'out', ended: true };
    void forgetCopies().catch(() => undefined);
  }

  /** Follow another tab, in which the user logged out (null) or this user logged in. */
  private onOtherTab(user: Id | null): void {
    const me = this.state.name === 'in' ? this.state.me.id : null;
    if (user === null) this.leave();
    else if (user !== me) void this.check();
  }

  private leave(): void {
    route.go('/');
    this.state = { name: 'out', ended: false };
  }
}

export const session = new Session();

/** Return the name of this session in the list of sessions. */
export function deviceName(agent = navigator.userAgent): string {
  const browser = /Edg|OPR|Firefox|Chrome|Safari/.exec(agent)?.[0] ?? m.app.unknownBrowser;
  const system = /Android|iPhone|iPad|Windows|Mac OS|Linux/.exec(agent)?.[0];
  const name = { Edg: 'Edge', OPR: 'Opera' }[browser] ?? browser;
  return system ? m.app.device(name, system.replace('Mac OS', 'macOS')) : name;
}
