/** Whether a person looks at any tab of this browser, and which of them tells what nobody sees. */
import type { Tabs } from '../../client';

export class Eyes {
  private here = false;
  private readonly others = new Map<string, boolean>();

  constructor(private readonly tabs: Tabs | null) {
    tabs?.on('looks', (looks, tab) => this.others.set(tab, looks));
    tabs?.onTabClosed((tab) => this.others.delete(tab));
    for (const topic of ['hello', 'lead'] as const) tabs?.on(topic, () => this.tell());
  }

  /** Whether this tab is being looked at. */
  look(here: boolean): void {
    this.here = here;
    this.tell();
  }

  get open(): boolean {
    return this.here || [...this.others.values()].some(Boolean);
  }

  /** One tab speaks for all of them. */
  get speaks(): boolean {
    return this.tabs?.leads ?? true;
  }

  private tell(): void {
    this.tabs?.send('looks', this.here);
  }
}
