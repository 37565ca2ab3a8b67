/** Which dialog is open, and which panel stands beside the conversation. */
import { createContext } from 'svelte';
import type { Id, Message, SentFile } from '../client';
import type { Writing } from './composer/writing.svelte';

export type Panel =
  | { name: 'switcher' | 'newChannel' | 'newMessage' | 'browse' | 'status' | 'settings' }
  | { name: 'threads' }
  | { name: 'leave' | 'addPeople' | 'notifications'; conversation: Id }
  | { name: 'message' | 'deleteMessage'; message: Message; writing: Writing }
  | { name: 'profile'; user: Id }
  | { name: 'lightbox'; pictures: SentFile[]; at: number }
  /** Near what was pressed, where there is room. */
  | { name: 'emoji'; near: DOMRect | null; pick: (emoji: string) => void };

export type Aside = 'people' | 'pins';

export class Panels {
  open = $state.raw<Panel | null>(null);
  aside = $state.raw<Aside | null>(null);

  show(panel: Panel): void {
    this.open = panel;
  }

  close(): void {
    this.open = null;
  }
}

export const [getPanels, setPanels] = createContext<Panels>();
