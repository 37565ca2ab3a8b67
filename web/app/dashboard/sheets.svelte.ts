/** The dialog that is open over the dashboard. */
import type { Id } from '../../client';
import { Panels } from '../panels.svelte';
import { createContext } from 'svelte';

/** What is to be done, once it has been confirmed. */
export interface Question {
  title: string;
  text: string;
  /** What the button says that does it. */
  yes: string;
  act(): Promise<unknown>;
  /** Said when it has been done. */
  done: string;
}

export type Sheet =
  | { name: 'announce' }
  | { name: 'evidence'; user: Id; disabled: boolean }
  | { name: 'reset'; user: Id; title: string; back: Sheet | null }
  | { name: 'confirm'; question: Question; back: Sheet | null };

/** Dialogs close by way of the app's panels. */
export class Sheets extends Panels {
  sheet = $state.raw<Sheet | null>(null);

  lay(sheet: Sheet): void {
    this.sheet = sheet;
  }

  /** Asks; afterwards what was open before is open again. */
  ask(question: Question): void {
    this.sheet = { name: 'confirm', question, back: this.sheet };
  }

  override close(): void {
    const { sheet } = this;
    this.sheet = sheet?.name === 'confirm' || sheet?.name === 'reset' ? sheet.back : null;
  }
}

export const [getSheets, setSheets] = createContext<Sheets>();
