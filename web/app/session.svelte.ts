/** Who is logged in on this page. */
import { Api, asProblem, type Id, type Problem, type SignedIn, type User } from '../client';
import { forgetAll } from './local-storage';
import { look } from './theme.svelte';
import { route } from './route.svelte';
import { proof } from './security/proof.svelte';

type State =
  | { name: 'checking' }
  | { name: 'unreachable'; problem: Problem }
  | { name: 'out'; ended: boolean }
  | { name: 'in'; me: User };

export class Session {
  readonly api = new Api({ reauthenticate: () => proof.ask() });
  state = $state.raw<State>({ name: 'checking' });
  /** All tabs of a browser share one cookie: who logs in or out in one of them does so in all. */
  private readonly others = 'BroadcastChannel' in globalThis ? new BroadcastChannel('tandem login') : null;

  constructor() {
    if (this.others) this.others.onmessage = ({ data }) => this.hear(data as Id | null);
  }

  /** Asks the server who the cookie belongs to. */
  async check(): Promise<void> {
    try {
      this.state = { name: 'in', me: await this.api.me() };
    } catch (error) {
      const problem = asProblem(error);
      this.state = problem.status === 401 ? { name: 'out', ended: false } : { name: 'unreachable', problem };
    }
  }

  /** Asks again who this is, after something about the account has changed. */
  async refresh(): Promise<void> {
    const me = await this.api.me();
    if (this.state.name === 'in') this.state = { name: 'in', me };
  }

  enter(signedIn: SignedIn): void {
    this.state = { name: 'in', me: signedIn.user };
    // the answer to a log-in does not tell whether an admin needs a second step first
    if (signedIn.user.role === 'admin') void this.refresh().catch(() => undefined);
    this.others?.postMessage(signedIn.user.id);
  }

  /**
   * Ends the session here and on the server, and deletes what this browser keeps for the app: drafts, unsent
   * messages, searches. If the server cannot be reached, the user stays logged in. `forget` deletes the rest.
   */
  async logOut(forget: () => Promise<void>): Promise<void> {
    await this.api.logOut();
    await forget().catch(() => undefined); // the browser may have closed it already, as the answer asks
    forgetAll();
    look.choose({});
    this.leave();
    this.others?.postMessage(null);
  }

  /** The account has been deleted: nobody is logged in any more, in any tab. */
  gone(): void {
    this.leave();
    this.others?.postMessage(null);
  }

  /** The server ended the login: it expired or was revoked. */
  ended(): void {
    if (this.state.name === 'in') this.state = { name: 'out', ended: true };
  }

  /** Another tab: nobody is logged in any more, or this person is. */
  private hear(user: Id | null): void {
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

/** What this login is called in the list of logins. */
export function deviceName(agent = navigator.userAgent): string {
  const browser = /Edg|OPR|Firefox|Chrome|Safari/.exec(agent)?.[0] ?? 'Browser';
  const system = /Android|iPhone|iPad|Windows|Mac OS|Linux/.exec(agent)?.[0];
  const name = { Edg: 'Edge', OPR: 'Opera' }[browser] ?? browser;
  return system ? `${name} on ${system.replace('Mac OS', 'macOS')}` : name;
}
