/**
 * The first message that reaches into the screen, found by halving: what a timeline holds its place by. Never the
 * first of all that are loaded: it changes its looks when others come above it.
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
