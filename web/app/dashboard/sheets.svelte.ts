/** The open dialog of the dashboard. */
import type { Id } from '../../client';
import { Panels } from '../panels.svelte';
import { createContext } from 'svelte';

/** An action that the user confirms first. */
export interface Question {
  title: string;
  text: string;
  /** The text of the button that runs the action. */
  yes: string;
  act(): Promise<unknown>;
  /** The message after the action. */
  done: string;
}

export type Sheet =
  | { name: 'announce' }
  | { name: 'evidence'; user: Id; disabled: boolean }
  | { name: 'reset'; user: Id; title: string; back: Sheet | null }
  | { name: 'confirm'; question: Question; back: Sheet | null };

/** Extends the app's panels, because the shared dialogs close themselves with those. */
export class Sheets extends Panels {
  sheet = $state.raw<Sheet | null>(null);

  present(sheet: Sheet): void {
    this.sheet = sheet;
  }

  /** Ask for confirmation; afterwards the previous dialog is open again. */
  ask(question: Question): void {
    this.sheet = { name: 'confirm', question, back: this.sheet };
  }

  override close(): void {
    const { sheet } = this;
    this.sheet = sheet?.name === 'confirm' || sheet?.name === 'reset' ? sheet.back : null;
  }
}

export const [getSheets, setSheets] = createContext<Sheets>();
