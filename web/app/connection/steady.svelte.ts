/** The connection as shown: a passing hiccup of less than half a second is not worth a flicker. */
import type { StreamState } from '../../client';

const HICCUP = 500;

export class Steady {
  shown = $state.raw<StreamState>({ name: 'connecting' });
  now = $state(Date.now());
  network = $state(true);

  constructor(current: () => StreamState) {
    $effect(() => {
      const state = current();
      const calm = state.name === 'live' || state.name === 'polling' || state.name === 'refused';
      const timer = setTimeout(() => (this.shown = state), calm ? 0 : HICCUP);
      return () => clearTimeout(timer);
    });
    $effect(() => {
      if (this.shown.name !== 'offline') return;
      const look = () => ([this.now, this.network] = [Date.now(), navigator.onLine]);
      const timer = setInterval(look, 1000);
      look();
      return () => clearInterval(timer);
    });
  }

  get seconds(): number {
    return this.shown.name === 'offline' ? Math.ceil((this.shown.retryAt - this.now) / 1000) : 0;
  }
}
