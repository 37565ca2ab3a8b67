/** Searches while the user types: asks a moment after the last key, and ignores responses to earlier texts. */
import { asProblem, type Problem } from '../../client';

/** Milliseconds between the last key and the request. */
const DELAY = 150;

export class Search<T> {
  q = $state('');
  found = $state.raw<T[] | null>(null);
  problem = $state.raw<Problem | null>(null);

  constructor(
    private readonly ask: (q: string) => Promise<T[]>,
    q = '',
  ) {
    this.q = q;
    let first = true;
    $effect(() => {
      const q = this.q.trim();
      const timer = setTimeout(() => void this.run(q), first ? 0 : DELAY);
      first = false;
      return () => clearTimeout(timer);
    });
  }

  again(): void {
    this.problem = null;
    void this.run(this.q.trim());
  }

  private async run(q: string): Promise<void> {
    try {
      const found = await this.ask(q);
      if (q === this.q.trim()) [this.found, this.problem] = [found, null];
    } catch (error) {
      if (q === this.q.trim()) this.problem = asProblem(error);
    }
  }
}
