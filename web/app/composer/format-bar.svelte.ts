/** Whether the buttons for formatting are shown on this device: on wide screens, unless the user chose otherwise. */
import { keep, kept } from '../local-storage';

const KEY = 'tandem.formatting';

class FormatBarState {
  shown = $state(kept('device', KEY) === 'on' || (kept('device', KEY) === null && matchMedia('(min-width: 721px)').matches));

  toggle(): void {
    this.shown = !this.shown;
    keep('device', KEY, this.shown ? 'on' : 'off');
  }
}

export const formatBar = new FormatBarState();
