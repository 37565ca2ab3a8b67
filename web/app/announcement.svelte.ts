/** The current announcement of the admins, until it is removed or was dismissed on this device. */
import type { Announcement, Api, Entry } from '../client';
import { keep, kept } from './local-storage';

const KEY = 'tandem.announcement';

class Announcements {
  private current = $state.raw<Announcement | null>(null);
  private dismissed = $state(Number(kept('device', KEY) ?? 0));
  /** True once the stream delivered an announcement, which is newer than any response requested before. */
  private received = false;
  readonly shown = $derived(this.current && this.current.id > this.dismissed ? this.current : null);

  async load(api: Api): Promise<void> {
    const found = await api.announcement().catch(() => null);
    if (!this.received) this.current = found;
  }

  receive(entry: Entry): void {
    if (entry.event !== 'announcement') return;
    this.received = true;
    this.current = entry.data.announcement;
  }

  dismiss(): void {
    if (!this.current) return;
    this.dismissed = this.current.id;
    keep('device', KEY, String(this.dismissed));
  }
}

export const announcements = new Announcements();
