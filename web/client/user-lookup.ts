/** Loads users whose names are not known yet. All users requested in the same task go into one call. */
import type { Api } from './api';
import type { Id, User } from './types';

const BATCH_SIZE = 100;

export class UserLookup {
  private readonly queued = new Set<Id>();
  /** Requested, or known not to exist. */
  private readonly requested = new Set<Id>();

  constructor(
    private readonly api: Api,
    private readonly isKnown: (id: Id) => boolean,
    private readonly onFound: (users: User[]) => void,
  ) {}

  load(ids: Iterable<Id>): void {
    const fresh = [...ids].filter((id) => !this.isKnown(id) && !this.requested.has(id));
    if (fresh.length && !this.queued.size) setTimeout(() => void this.fetch());
    for (const id of fresh) {
      this.queued.add(id);
      this.requested.add(id);
    }
  }

  private async fetch(): Promise<void> {
    const ids = [...this.queued];
    this.queued.clear();
    for (let at = 0; at < ids.length; at += BATCH_SIZE) {
      const batch = ids.slice(at, at + BATCH_SIZE);
      await this.api.users(batch).then(this.onFound, () => {
        for (const id of batch) this.requested.delete(id);
      });
    }
  }
}
