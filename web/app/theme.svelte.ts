/** How the app looks on this device: chosen and kept here, applied by `/look.js`, which runs before the first paint. */
import { keep, kept } from './local-storage';

const KEY = 'tandem.look';

/** An empty word: as the system is, or as usual. */
export interface Looks {
  theme: '' | 'light' | 'dark';
  contrast: '' | 'more';
  density: '' | 'compact';
  motion: '' | 'less';
}

class Look {
  now = $state.raw<Looks>({ theme: '', contrast: '', density: '', motion: '', ...keptLook() });

  choose(change: Partial<Looks>): void {
    this.now = { ...this.now, ...change };
    keep('device', KEY, JSON.stringify(this.now));
    dispatchEvent(new CustomEvent('look', { detail: this.now }));
  }
}

function keptLook(): Partial<Looks> {
  try {
    return JSON.parse(kept('device', KEY) ?? '{}') as Partial<Looks>;
  } catch {
    return {};
  }
}

export const look = new Look();

/** Whether things should stand still: as chosen here, or in the system. */
export const isCalm = (): boolean => document.documentElement.dataset['motion'] === 'less';
