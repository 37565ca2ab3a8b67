/** Re-authentication: a sensitive change waits until the user has confirmed who they are, in one dialog. */

export class Proof {
  /** Whether the dialog is open. */
  asking = $state(false);
  private readonly waiting: ((proved: boolean) => void)[] = [];

  /** Resolves when the user has confirmed who they are, or has closed the dialog. */
  ask(): Promise<boolean> {
    this.asking = true;
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  answer(proved: boolean): void {
    this.asking = false;
    for (const goOn of this.waiting.splice(0)) goOn(proved);
  }
}

export const proof = new Proof();
