/** Light, dark, or as the system is; kept on this device. */
import { keep, kept } from './kept';

export type ThemeName = 'system' | 'light' | 'dark';

const KEY = 'tandem.theme';

class Theme {
  name = $state<ThemeName>('system');

  constructor() {
    const last = kept('device', KEY);
    if (last === 'light' || last === 'dark') this.choose(last);
  }

  choose(name: ThemeName): void {
    this.name = name;
    keep('device', KEY, name);
    if (name === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = name;
  }
}

export const theme = new Theme();
