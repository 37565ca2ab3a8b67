/** Fetches people whose names are not known yet; all that are asked for in one turn go in one call. */
import type { Api } from './api';
import type { Id, User } from './types';

const MOST = 100;

export class People {
  private readonly wanted = new Set<Id>();
  /** On their way, or known not to be found. */
  private readonly asked = new Set<Id>();

  constructor(
    private readonly api: Api,
    private readonly known: (id: Id) => boolean,
    private readonly found: (users: User[]) => void,
  ) {}

  want(ids: Iterable<Id>): void {
    const fresh = [...ids].filter((id) => !this.known(id) && !this.asked.has(id));
    if (fresh.length && !this.wanted.size) setTimeout(() => void this.fetch());
    for (const id of fresh) {
      this.wanted.add(id);
      this.asked.add(id);
    }
  }

  private async fetch(): Promise<void> {
    const ids = [...this.wanted];
    this.wanted.clear();
    for (let at = 0; at < ids.length; at += MOST) {
      const some = ids.slice(at, at + MOST);
      await this.api.users(some).then(this.found, () => {
        for (const id of some) this.asked.delete(id);
      });
    }
  }
}
