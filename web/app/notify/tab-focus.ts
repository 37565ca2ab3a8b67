/** The focus of all tabs of this browser, and which of them shows the notifications. */
import type { Tabs } from '../../client';

export class TabFocus {
  private focused = false;
  private readonly others = new Map<string, boolean>();

  constructor(private readonly tabs: Tabs | null) {
    tabs?.on('looks', (focused, tab) => this.others.set(tab, focused));
    tabs?.onTabClosed((tab) => this.others.delete(tab));
    for (const topic of ['hello', 'lead'] as const) tabs?.on(topic, () => this.share());
  }

  /** Set whether this tab has the user's attention, and tell the other tabs. */
  set(focused: boolean): void {
    this.focused = focused;
    this.share();
  }

  /** True if any tab has the user's attention. */
  get anywhere(): boolean {
    return this.focused || [...this.others.values()].some(Boolean);
  }

  /** True if this tab shows the notifications for all tabs. */
  get isNotifying(): boolean {
    return this.tabs?.leads ?? true;
  }

  private share(): void {
    this.tabs?.send('looks', this.focused);
  }
}
