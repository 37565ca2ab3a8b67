/** Places a dialog next to the element that opened it, above it if there is room. On a phone the style sheet places it. */
import { align } from '../direction';

const GAP = 6;

export function placeNear(dialog: HTMLElement, near: DOMRect | null): void {
  if (!near || innerWidth <= 720) return;
  const { height } = dialog.getBoundingClientRect();
  const above = near.top - height - GAP;
  const below = Math.min(near.bottom + GAP, innerHeight - height - GAP);
  dialog.style.margin = '0';
  dialog.style.top = `${Math.max(GAP, above > GAP ? above : below)}px`;
  align(dialog, near, 'end', GAP);
}
