/** Paints code once what it takes has been loaded; until then code is plain. */
import type { Paint } from './parser';

class Painter {
  paint = $state.raw<Paint | null>(null);
  private loading = false;

  load(): void {
    if (this.loading) return;
    this.loading = true;
    import('./languages').then(
      (languages) => (this.paint = languages.paint),
      () => (this.loading = false),
    );
  }
}

export const painter = new Painter();
