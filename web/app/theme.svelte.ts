/** The appearance of the app on this device: chosen and stored here, applied by `/look.js` before the first paint. */
import { keep, kept } from './local-storage';

const KEY = 'tandem.look';

/** An empty string means: match the system, or the default. */
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

/** Return true if animations are off, because of the setting here or in the system. */
export const hasReducedMotion = (): boolean => document.documentElement.dataset['motion'] === 'less';
