/** Short words about what could not be done, or has been; they go by themselves. */
import { asProblem } from '../client';

const STAYS = 6_000;

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
    setTimeout(() => this.dismiss(toast.id), STAYS);
  }

  dismiss(id: number): void {
    this.all = this.all.filter((one) => one.id !== id);
  }

  /** Runs an action; one that fails is told of. */
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
