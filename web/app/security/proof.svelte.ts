/** Re-authentication: a sensitive change waits until the user has confirmed their identity in a dialog. */

export class Proof {
  /** True while the dialog is open. */
  asking = $state(false);
  private readonly waiting: ((proved: boolean) => void)[] = [];

  /** Open the dialog. Resolve with true once the user has confirmed their identity, or with false if they close it. */
  ask(): Promise<boolean> {
    this.asking = true;
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  answer(proved: boolean): void {
    this.asking = false;
    for (const resolve of this.waiting.splice(0)) resolve(proved);
  }
}

export const proof = new Proof();
