/**
 * Where a timeline is scrolled to. At its end it stays there, whatever grows; elsewhere it holds its place,
 * also when older messages are put above. (The browser's own anchoring is off: not every browser has it, and
 * two would fight.)
 */

const NEAR = 60;

export class Scroller {
  atEnd = $state(false);
  /** More than a screen away from the end. */
  far = $state(false);
  private placed = false;
  private box: HTMLElement | null = null;
  private top = 0;
  private height = 0;
  private fromEnd = 0;

  /** `whole`: whether the end of what is loaded is the end of all; elsewhere nothing sticks to it. */
  constructor(private readonly whole: () => boolean = () => true) {}

  /** Attaches to the scrolling element, whose first child holds the content. */
  attach = (box: HTMLElement): (() => void) => {
    this.box = box;
    const observer = new ResizeObserver(() => this.grown());
    observer.observe(box);
    if (box.firstElementChild) observer.observe(box.firstElementChild);
    return () => observer.disconnect();
  };

  /** The first placing: at the given element near the top, else at the end. */
  place(at: Element | null): void {
    if (!this.box || this.placed) return;
    this.placed = true;
    const { box } = this;
    if (at)
      box.scrollTop += at.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 4;
    else box.scrollTop = box.scrollHeight;
    this.atEnd = this.whole() && this.distance < NEAR;
    this.look();
  }

  /** The timeline was taken away; the next one is placed anew. */
  unplace(): void {
    [this.placed, this.atEnd] = [false, false];
  }

  /** Smoothly over the last screen at most: nobody wants to watch a thousand messages fly by. */
  toEnd(smooth = false): void {
    if (!this.box) return;
    this.atEnd = true;
    const { box } = this;
    if (this.distance > box.clientHeight) box.scrollTop = box.scrollHeight - 2 * box.clientHeight;
    box.scrollTo({ top: box.scrollHeight, behavior: smooth ? 'smooth' : 'instant' });
  }

  /** Into the middle, and a moment marked. */
  show(row: Element): void {
    if (!this.box) return;
    [this.atEnd, this.placed] = [false, true];
    row.scrollIntoView({ block: 'center', behavior: 'instant' });
    row.animate([{ backgroundColor: 'var(--accent-tint)' }, { backgroundColor: 'transparent' }], {
      duration: 2_400,
      easing: 'ease-in',
    });
    this.look();
  }

  /**
   * Only a person who moves up leaves the end: growth may come between a scroll and its event, and where
   * messages were trimmed the browser itself moves up.
   */
  scrolled(): void {
    if (!this.box) return;
    if (this.distance < NEAR) this.atEnd = this.placed && this.whole();
    else if (this.box.scrollTop < this.top - 1 && this.box.scrollHeight >= this.height) this.atEnd = false;
    this.look();
  }

  /** Before something is put above, and after. */
  remember(): void {
    if (this.box) this.fromEnd = this.box.scrollHeight - this.box.scrollTop;
  }

  restore(): void {
    if (this.box && this.placed && !this.atEnd) this.box.scrollTop = this.box.scrollHeight - this.fromEnd;
  }

  get nearTop(): boolean {
    return this.placed && (this.box?.scrollTop ?? Infinity) < 900;
  }

  get nearBottom(): boolean {
    return this.placed && this.distance < 900;
  }

  private get distance(): number {
    return this.box ? this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight : 0;
  }

  private grown(): void {
    if (this.atEnd) this.toEnd();
    this.look();
  }

  private look(): void {
    this.top = this.box?.scrollTop ?? 0;
    this.height = this.box?.scrollHeight ?? 0;
    this.far = this.distance > (this.box?.clientHeight ?? Infinity);
  }
}
