/**
 * Decides which of a browser's tabs leads: the one that holds a lock, first come, first served. The browser
 * releases the lock when a tab closes, crashes or is discarded. Another tab can steal it from a tab that no longer
 * answers.
 */
export type Locks = Pick<LockManager, 'request'>;

export class Leadership {
  leads = false;
  private request: AbortController | null = null;

  constructor(
    private readonly name: string,
    private readonly locks: Locks,
    private readonly onChange: (leads: boolean) => void,
  ) {}

  /** Queue for the lock. */
  enqueue(): void {
    this.release();
    const standing = new AbortController();
    this.requestLock(standing, { signal: standing.signal });
  }

  /** Take the lock from the tab that holds it. */
  steal(): void {
    if (this.leads) return;
    this.release();
    this.requestLock(new AbortController(), { steal: true });
  }

  /** Release the lock, or leave the queue. */
  release(): void {
    const { request } = this;
    this.request = null;
    request?.abort();
    this.setLeads(false);
  }

  private requestLock(request: AbortController, options: LockOptions): void {
    this.request = request;
    const hold = () => (request.signal.aborted ? undefined : this.hold(request.signal));
    const onLost = () => {
      // not released: another tab stole it
      if (this.request === request) this.enqueue();
    };
    this.locks.request(this.name, options, hold).then(onLost, onLost);
  }

  private hold(until: AbortSignal): Promise<void> {
    this.setLeads(true);
    return new Promise((resolve) => until.addEventListener('abort', () => resolve()));
  }

  private setLeads(leads: boolean): void {
    if (leads === this.leads) return;
    this.leads = leads;
    this.onChange(leads);
  }
}
