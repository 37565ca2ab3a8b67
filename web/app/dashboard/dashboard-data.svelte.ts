/**
 * The live data of the dashboard: figures once a second, over a presence socket of its own. If they stop, the last ones
 * stay and `stale` is true, whether the socket seems to be open or not.
 */
import { createContext } from 'svelte';
import type { Api } from '../../client';
import { Activity } from '../../client/presence/activity';
import type { ServerFrame } from '../../client/presence/protocol';
import { PresenceSocket, type SocketState } from '../../client/presence/socket';
import { Calls } from './calls';
import { figuresOf, type Figures, isOld } from './figures';

const KEPT = 10;

export class DashboardData {
  readonly calls: Calls;
  /** The latest figures and a few before them, oldest first. */
  seen = $state.raw<Figures[]>([]);
  socket = $state.raw<SocketState>({ name: 'stopped' });
  degraded = $state(false);
  /** The time of the registry's clock, estimated while no figures arrive. */
  now = $state(0);
  readonly latest = $derived(this.seen.at(-1));
  readonly before = $derived(this.seen.at(0));
  readonly stale = $derived(this.degraded || this.socket.name !== 'open' || isOld(this.latest, this.now));
  private offset = 0;
  private readonly channel: PresenceSocket;
  private readonly activity = new Activity((idle) => void this.channel.send({ type: idle ? 'idle' : 'active' }));

  constructor(api: Api) {
    this.calls = new Calls(api);
    this.channel = new PresenceSocket({
      url: `${location.origin.replace(/^http/, 'ws')}/api/presence/socket`,
      ticket: () => api.presenceTicket(),
      onFrame: (told) => this.hear(told),
      onState: (state) => (this.socket = state),
    });
  }

  /** Connect. Return a function that disconnects. */
  open(): () => void {
    this.channel.start();
    this.activity.start();
    const clock = setInterval(() => (this.now = Date.now() + this.offset), 1_000);
    return () => {
      clearInterval(clock);
      this.activity.stop();
      this.channel.stop();
    };
  }

  wake(): void {
    this.channel.wake();
  }

  /** Record that the user is active. */
  noticed(): void {
    this.activity.noticeInput();
  }

  private hear(told: ServerFrame): void {
    if (told.type === 'hello') {
      this.channel.send({ type: 'observe' });
      if (this.activity.idle) this.channel.send({ type: 'idle' });
    }
    if (told.type !== 'stats') return;
    this.degraded = told.degraded;
    const figures = figuresOf(told);
    if (!figures) return;
    this.offset = figures.at - Date.now();
    this.now = figures.at;
    this.seen = [...this.seen.slice(1 - KEPT), figures];
  }
}

export const [getDashboardData, setDashboardData] = createContext<DashboardData>();
