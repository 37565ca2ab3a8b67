/** One action of a dialog: busy while it runs, with the problem it ended in. */
import { asProblem, type Problem } from '../../client';

export class Act {
  busy = $state(false);
  problem = $state.raw<Problem | null>(null);

  /** Runs it, unless it is running; true when it went well. */
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
