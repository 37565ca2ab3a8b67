/**
 * Return the topmost message on the screen, found by binary search; a timeline keeps its scroll position by it. Never
 * return the first loaded message: its size changes when older ones are loaded above it.
 */
export function rowAt(box: HTMLElement): Element | null {
  const rows = box.getElementsByTagName('article');
  const edge = box.getBoundingClientRect().top;
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle];
    if (row && row.getBoundingClientRect().bottom > edge + 1) high = middle;
    else low = middle + 1;
  }
  return rows[Math.max(low, 1)] ?? rows[low] ?? null;
}
