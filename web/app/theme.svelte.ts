/** Light, dark, or as the system is; kept on this device. */
export type ThemeName = 'system' | 'light' | 'dark';

const KEY = 'tandem.theme';

class Theme {
  name = $state<ThemeName>('system');

  constructor() {
    const kept = localStorage.getItem(KEY);
    if (kept === 'light' || kept === 'dark') this.choose(kept);
  }

  choose(name: ThemeName): void {
    this.name = name;
    localStorage.setItem(KEY, name);
    if (name === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = name;
  }
}

export const theme = new Theme();
