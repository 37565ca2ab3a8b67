/** Which dialog is open, and whether the panel beside the conversation is. */
import { createContext } from 'svelte';
import type { Id } from '../client';

export type Panel =
  | { name: 'switcher' | 'newChannel' | 'newMessage' | 'browse' | 'status' | 'settings' }
  | { name: 'leave' | 'addPeople'; conversation: Id };

export class Panels {
  open = $state.raw<Panel | null>(null);
  /** Who is here. */
  aside = $state(false);

  show(panel: Panel): void {
    this.open = panel;
  }

  close(): void {
    this.open = null;
  }
}

export const [getPanels, setPanels] = createContext<Panels>();
