/** Whether this device is in use: idle after five minutes without a sign of life. */

const PATIENCE = 300_000;

export class Activity {
  idle = false;
  private seenAt = Date.now();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly changed: (idle: boolean) => void,
    private readonly patience = PATIENCE,
  ) {}

  start(): void {
    this.seen();
    this.look();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** A key, a pointer, or the page coming into view. */
  seen(): void {
    this.seenAt = Date.now();
    if (!this.idle) return;
    this.become(false);
    this.look();
  }

  private look(): void {
    clearTimeout(this.timer);
    const left = this.seenAt + this.patience - Date.now();
    if (left > 0) this.timer = setTimeout(() => this.look(), left);
    else this.become(true);
  }

  private become(idle: boolean): void {
    this.idle = idle;
    this.changed(idle);
  }
}
