/**
 * Which of a browser's tabs speaks with the server: the one that holds a lock, first come, first served. The
 * browser itself lets go of it when a tab is closed, crashes or is discarded; from one that no longer answers
 * it can be taken.
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

  /** Waits in line for the lock. */
  enqueue(): void {
    this.release();
    const standing = new AbortController();
    this.requestLock(standing, { signal: standing.signal });
  }

  /** Takes the lock from whoever holds it. */
  steal(): void {
    if (this.leads) return;
    this.release();
    this.requestLock(new AbortController(), { steal: true });
  }

  /** Lets go of the lock, and of the place in the line. */
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
      // it was not let go: another tab took it
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
