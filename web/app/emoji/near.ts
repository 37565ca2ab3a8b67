/** Puts a dialog beside what opened it, wherever there is room; on a phone it stays where its style puts it. */
const GAP = 6;

export function placeNear(dialog: HTMLElement, near: DOMRect | null): void {
  if (!near || innerWidth <= 720) return;
  const { width, height } = dialog.getBoundingClientRect();
  const above = near.top - height - GAP;
  const below = Math.min(near.bottom + GAP, innerHeight - height - GAP);
  dialog.style.margin = '0';
  dialog.style.top = `${Math.max(GAP, above > GAP ? above : below)}px`;
  dialog.style.left = `${Math.max(GAP, Math.min(near.right - width, innerWidth - width - GAP))}px`;
}
