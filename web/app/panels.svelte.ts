/** Which dialog is open. */
import { createContext } from 'svelte';
import type { Id } from '../client';

export type Panel =
  | { name: 'switcher' | 'newChannel' | 'newMessage' | 'browse' }
  | { name: 'leave' | 'addPeople'; conversation: Id };

export class Panels {
  open = $state.raw<Panel | null>(null);

  show(panel: Panel): void {
    this.open = panel;
  }

  close(): void {
    this.open = null;
  }
}

export const [getPanels, setPanels] = createContext<Panels>();
