/**
 * The scroll position of a timeline. At the end it stays at the end when content grows. Elsewhere the row at the top
 * of the screen keeps its place when content above it is added, removed or resized, including a banner over the
 * timeline. The browser's own scroll anchoring is off: not every browser has it, and the two would conflict.
 */
import { createContext } from 'svelte';
import { rowAt } from './row-at';

/** Pixels from the end that still count as the end. */
const NEAR = 60;
/** Pixels from either end of the loaded messages at which more are loaded. */
const AHEAD = 1_200;

export class Scroller {
  atEnd = $state(false);
  /** True more than a screen away from the end. */
  far = $state(false);
  /** Increases whenever another part of the timeline may be on the screen. */
  looks = $state(0);
  private placed = false;
  private box: HTMLElement | null = null;
  private top = 0;
  private height = 0;
  private anchor: { row: Element; top: number } | null = null;

  /** `whole` returns true if the last loaded message is the newest; only then the timeline sticks to its end. */
  constructor(private readonly whole: () => boolean = () => true) {}

  /** Attach to the scrolling element, whose first child holds the rows. */
  attach = (box: HTMLElement): (() => void) => {
    this.box = box;
    const observer = new ResizeObserver(() => this.hold());
    observer.observe(box);
    if (box.firstElementChild) observer.observe(box.firstElementChild);
    return () => observer.disconnect();
  };

  /** Set the first position: the given element near the top, else the end. */
  place(at: Element | null): void {
    if (!this.box || this.placed) return;
    this.placed = true;
    const { box } = this;
    if (at) box.scrollTop += this.topOf(at) - box.clientHeight / 4;
    else box.scrollTop = box.scrollHeight;
    this.atEnd = this.whole() && this.distance < NEAR;
    this.look();
  }

  /** Forget the position after the timeline was unloaded, so that the next one is placed again. */
  unplace(): void {
    [this.placed, this.atEnd, this.anchor] = [false, false, null];
  }

  /** Scroll to the end. At most the last screen scrolls smoothly, because scrolling past many messages is slow. */
  toEnd(smooth = false): void {
    if (!this.box) return;
    this.atEnd = true;
    const { box } = this;
    if (this.distance > box.clientHeight) box.scrollTop = box.scrollHeight - 2 * box.clientHeight;
    box.scrollTo({ top: box.scrollHeight, behavior: smooth ? 'smooth' : 'instant' });
  }

  /** Scroll a row to the middle of the screen and highlight it for a moment. */
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

  /** Scroll up or down by almost a screen; the overlap helps the reader to keep their place. */
  turn(by: 1 | -1): void {
    if (!this.box) return;
    if (by < 0) this.atEnd = false;
    this.box.scrollBy({ top: by * (this.box.clientHeight - 2 * NEAR), behavior: 'instant' });
    this.scrolled();
  }

  /**
   * Handle a scroll event. Only a reader who scrolls up leaves the end: content may grow between a scroll and its
   * event, and the browser itself moves up when messages are trimmed.
   */
  scrolled(): void {
    if (!this.box) return;
    if (this.distance < NEAR) this.atEnd = this.placed && this.whole();
    else if (this.box.scrollTop < this.top - 1 && this.box.scrollHeight >= this.height) this.atEnd = false;
    this.look();
  }

  /** Restore the position after content was added, removed or resized. */
  hold(): void {
    if (!this.box || !this.placed) return;
    if (this.atEnd) this.toEnd();
    else if (this.anchor?.row.isConnected) {
      // a scroll whose event has not arrived yet is not growth
      this.anchor.top -= this.box.scrollTop - this.top;
      const moved = this.anchor.row.getBoundingClientRect().top - this.anchor.top;
      if (Math.abs(moved) >= 1) this.box.scrollTop += moved;
      this.top = this.box.scrollTop;
    }
    this.look();
  }

  /**
   * Resize the content by `change`; the element stays where it is on the screen, or moves up by so many pixels. The
   * timeline leaves its end, because the reader looks at this element.
   */
  keep(element: Element, change: () => void, up = 0): void {
    this.atEnd = false;
    const top = element.getBoundingClientRect().top;
    change();
    if (this.box) this.box.scrollTop += element.getBoundingClientRect().top - top + up;
    this.look();
  }

  /** Return true if an element starts on the screen or below it. */
  isBelowTop(element: Element): boolean {
    return this.topOf(element) >= 0;
  }

  get nearTop(): boolean {
    return this.placed && (this.box?.scrollTop ?? Infinity) < AHEAD;
  }

  get nearBottom(): boolean {
    return this.placed && this.distance < AHEAD;
  }

  /** The seq of the message at the top of the screen, or 0. */
  get topmost(): number {
    return Number((this.anchor?.row as HTMLElement | undefined)?.dataset['seq'] ?? 0);
  }

  /** Return true if an element is above the screen. */
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
    // without a scroll the anchor stays, even if it is less than a pixel from its place
    const still = box.scrollTop === this.top && this.anchor?.row.isConnected;
    [this.top, this.height] = [box.scrollTop, box.scrollHeight];
    this.far = this.distance > box.clientHeight;
    // at the end no anchor is needed
    if (!this.placed || this.atEnd) this.anchor = null;
    else if (!still) this.anchor = this.anchorAt(rowAt(box));
    this.looks += 1;
  }
}

export const [getScroller, setScroller] = createContext<Scroller>();
