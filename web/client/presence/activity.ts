/** Detects whether this device is in use. A device is idle after five minutes without input. */

const IDLE_AFTER = 300_000;

export class Activity {
  idle = false;
  private lastInputAt = Date.now();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly onChange: (idle: boolean) => void,
    private readonly idleAfter = IDLE_AFTER,
  ) {}

  start(): void {
    this.noticeInput();
    this.check();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** Record a key, a pointer event, or the page becoming visible. */
  noticeInput(): void {
    this.lastInputAt = Date.now();
    if (!this.idle) return;
    this.setIdle(false);
    this.check();
  }

  private check(): void {
    clearTimeout(this.timer);
    const left = this.lastInputAt + this.idleAfter - Date.now();
    if (left > 0) this.timer = setTimeout(() => this.check(), left);
    else this.setIdle(true);
  }

  private setIdle(idle: boolean): void {
    this.idle = idle;
    this.onChange(idle);
  }
}
