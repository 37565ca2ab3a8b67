/** Toasts: short messages about an action that succeeded or failed. They disappear after a few seconds. */
import { asProblem } from '../client';

/** Milliseconds for which a toast is shown. */
const DURATION = 6_000;

export interface Toast {
  id: number;
  text: string;
  wrong: boolean;
}

class Toasts {
  all = $state.raw<Toast[]>([]);
  private last = 0;

  say(text: string, wrong = false): void {
    const toast = { id: ++this.last, text, wrong };
    this.all = [...this.all.slice(-2), toast];
    setTimeout(() => this.dismiss(toast.id), DURATION);
  }

  dismiss(id: number): void {
    this.all = this.all.filter((one) => one.id !== id);
  }

  /** Wait for an action, and show its error if it fails. Return true if it succeeded. */
  async try(action: Promise<unknown>): Promise<boolean> {
    try {
      await action;
      return true;
    } catch (error) {
      this.say(asProblem(error).detail, true);
      return false;
    }
  }
}

export const toasts = new Toasts();
