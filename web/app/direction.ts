/** The direction of the page, which runs to the left in Arabic: the keys and places that follow it. */

const GAP = 4;

const mirrored = (): boolean => document.dir === 'rtl';

/** Return 1 for the arrow key that points along the line of text, -1 for the one against it, and undefined for other keys. */
export function stepOf(key: string): 1 | -1 | undefined {
  if (key !== 'ArrowRight' && key !== 'ArrowLeft') return undefined;
  return (key === 'ArrowRight') === mirrored() ? -1 : 1;
}

/** Return 1 for a movement along the line of text, in pixels of the screen, and -1 for one against it. */
export const stepTo = (pixels: number): 1 | -1 => (pixels > 0 === mirrored() ? -1 : 1);

/** Place a panel at one side of an element, and within the window. The panel has its final width. */
export function align(panel: HTMLElement, at: DOMRect, side: 'start' | 'end', gap = GAP): void {
  const { offsetWidth: width } = panel;
  const left = (side === 'start') === mirrored() ? at.right - width : at.left;
  panel.style.left = `${Math.max(gap, Math.min(left, innerWidth - width - gap))}px`;
}

/** Return a place of no width at the start of an element, `inset` pixels within it. */
export const startOf = (box: DOMRect, inset: number): DOMRect =>
  new DOMRect(mirrored() ? box.right - inset : box.left + inset, box.top, 0, box.height);
