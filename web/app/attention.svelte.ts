/** The user's attention. `here`: this page is visible and has the focus. Opening the app alone reads nothing. */
class Attention {
  here = $state(isVisibleAndFocused());
  /** True until the user acts in a conversation that the app has opened by itself. */
  private waiting = $state(false);

  constructor() {
    const update = () => (this.here = isVisibleAndFocused());
    for (const event of ['focus', 'blur', 'pageshow']) addEventListener(event, update);
    document.addEventListener('visibilitychange', update);
    const act = () => (this.waiting = false);
    for (const event of ['pointerdown', 'keydown', 'wheel']) addEventListener(event, act, { capture: true, passive: true });
  }

  /** True if what is on the screen counts as read. */
  get reads(): boolean {
    return this.here && !this.waiting;
  }

  /** The app opens a conversation that the user has not chosen: it is not read until they act. */
  wait(): void {
    this.waiting = true;
  }
}

function isVisibleAndFocused(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus();
}

export const attention = new Attention();
