/**
 * Which of a browser's tabs speaks with the server: the one that holds a lock, first come, first served. The
 * browser itself lets go of it when a tab is closed, crashes or is discarded; from one that no longer answers
 * it can be taken.
 */
export type Locks = Pick<LockManager, 'request'>;

export class Leadership {
  leads = false;
  private standing: AbortController | null = null;

  constructor(
    private readonly name: string,
    private readonly locks: Locks,
    private readonly changed: (leads: boolean) => void,
  ) {}

  /** Waits in line for the lock. */
  stand(): void {
    this.resign();
    const standing = new AbortController();
    this.ask(standing, { signal: standing.signal });
  }

  /** Takes the lock from whoever holds it. */
  seize(): void {
    if (this.leads) return;
    this.resign();
    this.ask(new AbortController(), { steal: true });
  }

  /** Lets go of the lock, and of the place in the line. */
  resign(): void {
    const { standing } = this;
    this.standing = null;
    standing?.abort();
    this.become(false);
  }

  private ask(standing: AbortController, options: LockOptions): void {
    this.standing = standing;
    const hold = () => (standing.signal.aborted ? undefined : this.hold(standing.signal));
    const over = () => {
      // it was not let go: another tab took it
      if (this.standing === standing) this.stand();
    };
    this.locks.request(this.name, options, hold).then(over, over);
  }

  private hold(until: AbortSignal): Promise<void> {
    this.become(true);
    return new Promise((resolve) => until.addEventListener('abort', () => resolve()));
  }

  private become(leads: boolean): void {
    if (leads === this.leads) return;
    this.leads = leads;
    this.changed(leads);
  }
}
