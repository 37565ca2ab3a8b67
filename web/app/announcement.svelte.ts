/** What admins say to everybody: the one that stands, until it is over or this device has dismissed it. */
import type { Announcement, Api, Entry } from '../client';
import { keep, kept } from './local-storage';

const KEY = 'tandem.announcement';

class Announcements {
  private current = $state.raw<Announcement | null>(null);
  private dismissed = $state(Number(kept('device', KEY) ?? 0));
  /** What the stream has said is newer than any answer that was asked for before. */
  private told = false;
  readonly shown = $derived(this.current && this.current.id > this.dismissed ? this.current : null);

  async look(api: Api): Promise<void> {
    const found = await api.announcement().catch(() => null);
    if (!this.told) this.current = found;
  }

  hear(entry: Entry): void {
    if (entry.event !== 'announcement') return;
    this.told = true;
    this.current = entry.data.announcement;
  }

  dismiss(): void {
    if (!this.current) return;
    this.dismissed = this.current.id;
    keep('device', KEY, String(this.dismissed));
  }
}

export const announcements = new Announcements();
