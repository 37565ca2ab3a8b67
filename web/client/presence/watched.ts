/**
 * What is on the screen, counted, and what of it the server has been told. Pure. Beyond 500 the newest wait
 * until others have gone.
 */
import type { Id } from '../types';

export const WATCH_MOST = 500;
/** So many ids of any size fit a frame of 4 KiB. */
const FRAME_MOST = 200;

export class Watched {
  private readonly wanted = new Map<Id, number>();
  private readonly told = new Set<Id>();
  /** Told, and to be told again: the answer may be another one by now. */
  private again = new Set<Id>();

  want(id: Id): void {
    this.wanted.set(id, (this.wanted.get(id) ?? 0) + 1);
  }

  release(id: Id): void {
    const left = (this.wanted.get(id) ?? 0) - 1;
    if (left > 0) this.wanted.set(id, left);
    else this.wanted.delete(id);
  }

  /** A new connection knows of nothing. */
  reset(): void {
    this.told.clear();
    this.again.clear();
  }

  repeat(ids: Iterable<Id> = this.told): void {
    this.again = new Set([...this.again, ...ids]);
  }

  /** Those that have left the screen; from now on they count as taken back. */
  gone(): Id[] {
    const gone = [...this.told].filter((id) => !this.wanted.has(id)).slice(0, FRAME_MOST);
    for (const id of gone) this.told.delete(id);
    return gone;
  }

  /** The next that the server should hear of, as many as a frame takes; from now on they count as told. */
  fresh(): Id[] {
    const room = WATCH_MOST - this.told.size;
    const untold = [...this.wanted.keys()].filter((id) => !this.told.has(id)).slice(0, Math.max(0, room));
    const again = [...this.again].filter((id) => this.wanted.has(id));
    const fresh = [...untold, ...again].slice(0, FRAME_MOST);
    for (const id of fresh) {
      this.told.add(id);
      this.again.delete(id);
    }
    return fresh;
  }
}
