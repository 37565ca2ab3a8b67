/**
 * Where a timeline is scrolled to. At its end it stays there, whatever grows; elsewhere the row at the top of
 * the screen keeps its place, whatever is put above it, taken away or changes its size, a banner over the
 * timeline too. (The browser's own anchoring is off: not every browser has it, and two would fight.)
 */
import { rowAt } from './row-at';

const NEAR = 60;
/** So close to either end of what is loaded, more is loaded. */
const AHEAD = 1_200;

export class Scroller {
  atEnd = $state(false);
  /** More than a screen away from the end. */
  far = $state(false);
  /** Goes up whenever what is on the screen may be another part. */
  looks = $state(0);
  private placed = false;
  private box: HTMLElement | null = null;
  private top = 0;
  private height = 0;
  private anchor: { row: Element; top: number } | null = null;

  /** `whole`: whether the end of what is loaded is the end of all; elsewhere nothing sticks to it. */
  constructor(private readonly whole: () => boolean = () => true) {}

  /** Attaches to the scrolling element, whose first child holds the rows. */
  attach = (box: HTMLElement): (() => void) => {
    this.box = box;
    const observer = new ResizeObserver(() => this.hold());
    observer.observe(box);
    if (box.firstElementChild) observer.observe(box.firstElementChild);
    return () => observer.disconnect();
  };

  /** The first placing: at the given element near the top, else at the end. */
  place(at: Element | null): void {
    if (!this.box || this.placed) return;
    this.placed = true;
    const { box } = this;
    if (at) box.scrollTop += this.topOf(at) - box.clientHeight / 4;
    else box.scrollTop = box.scrollHeight;
    this.atEnd = this.whole() && this.distance < NEAR;
    this.look();
  }

  /** The timeline was taken away; the next one is placed anew. */
  unplace(): void {
    [this.placed, this.atEnd, this.anchor] = [false, false, null];
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

  /** A screen up or down, less what helps the eye to follow. */
  turn(by: 1 | -1): void {
    if (!this.box) return;
    if (by < 0) this.atEnd = false;
    this.box.scrollBy({ top: by * (this.box.clientHeight - 2 * NEAR), behavior: 'instant' });
    this.scrolled();
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

  /** Something has grown, come or gone: what was looked at stays where it was. */
  hold(): void {
    if (!this.box || !this.placed) return;
    if (this.atEnd) this.toEnd();
    else if (this.anchor?.row.isConnected) {
      // what was scrolled since, without an event yet, is no growth
      this.anchor.top -= this.box.scrollTop - this.top;
      const moved = this.anchor.row.getBoundingClientRect().top - this.anchor.top;
      if (Math.abs(moved) >= 1) this.box.scrollTop += moved;
      this.top = this.box.scrollTop;
    }
    this.look();
  }

  get nearTop(): boolean {
    return this.placed && (this.box?.scrollTop ?? Infinity) < AHEAD;
  }

  get nearBottom(): boolean {
    return this.placed && this.distance < AHEAD;
  }

  /** The message at the top of the screen. */
  get topmost(): number {
    return Number((this.anchor?.row as HTMLElement | undefined)?.dataset['seq'] ?? 0);
  }

  /** Whether an element lies above the screen. */
  isAbove(element: Element): boolean {
    return this.topOf(element) + element.getBoundingClientRect().height < 0;
  }

  private get distance(): number {
    return this.box ? this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight : 0;
  }

  private topOf(element: Element): number {
    return element.getBoundingClientRect().top - (this.box?.getBoundingClientRect().top ?? 0);
  }

  private anchorAt(row: Element | null): typeof this.anchor {
    return row && { row, top: row.getBoundingClientRect().top };
  }

  private look(): void {
    const { box } = this;
    if (!box) return;
    // nobody has scrolled: what was held on to still is, less than a pixel from its place included
    const still = box.scrollTop === this.top && this.anchor?.row.isConnected;
    [this.top, this.height] = [box.scrollTop, box.scrollHeight];
    this.far = this.distance > box.clientHeight;
    // at the end nothing else is held on to
    if (!this.placed || this.atEnd) this.anchor = null;
    else if (!still) this.anchor = this.anchorAt(rowAt(box));
    this.looks += 1;
  }
}
