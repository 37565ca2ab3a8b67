/** The open dialog, and the panel beside the conversation. */
import { createContext } from 'svelte';
import type { Id, Message, SentFile } from '../client';
import type { UserGroup } from '../client/schema';
import type { Everyone } from './composer/everyone';
import type { Writing } from './composer/writing.svelte';

export type Panel =
  | { name: 'switcher' | 'keys' | 'newChannel' | 'newMessage' | 'status' | 'logOut' | 'deleteAccount' | 'markAllRead' }
  | { name: 'leave' | 'archive' | 'addPeople' | 'notifications'; conversation: Id }
  /** Creates a section and moves the conversation into it, or renames the section `id`. */
  | { name: 'section'; id?: string; conversation?: Id }
  | { name: 'mentionAll'; conversation: Id; all: Everyone | UserGroup; send: () => void }
  | { name: 'message'; message: Message; writing: Writing }
  | { name: 'deleteMessage' | 'report' | 'history' | 'delivery' | 'remind' | 'forward'; message: Message }
  /** Chooses when a message is sent. `at`: the time so far. */
  | { name: 'schedule'; at?: string; choose: (at: string) => Promise<boolean> }
  | { name: 'ban'; conversation: Id; user: Id }
  | { name: 'profile'; user: Id }
  /** The members of a user group, which admins change there. */
  | { name: 'group' | 'addToGroup'; group: Id }
  /** Creates a user group, or renames this one. */
  | { name: 'groupName'; group?: Id }
  | { name: 'confirm'; title: string; text: string; label: string; act: () => Promise<void> }
  | { name: 'lightbox'; pictures: SentFile[]; first: number }
  /** Opens near the pressed button, if there is room. */
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
