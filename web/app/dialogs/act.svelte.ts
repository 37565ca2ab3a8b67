/** One action of a form or dialog: `busy` while it runs, `problem` if it failed. */
import { asProblem, type Problem } from '../../client';

export class Act {
  busy = $state(false);
  problem = $state.raw<Problem | null>(null);

  /** Run the action, unless one is running. Return true if it succeeded. */
  async run(action: () => Promise<void>): Promise<boolean> {
    if (this.busy) return false;
    [this.busy, this.problem] = [true, null];
    try {
      await action();
      return true;
    } catch (error) {
      this.problem = asProblem(error);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
