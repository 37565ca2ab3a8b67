/** The user's attention: true while this page is visible and has the focus. */
class Attention {
  here = $state(isVisibleAndFocused());

  constructor() {
    const update = () => (this.here = isVisibleAndFocused());
    for (const event of ['focus', 'blur', 'pageshow']) addEventListener(event, update);
    document.addEventListener('visibilitychange', update);
  }
}

function isVisibleAndFocused(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus();
}

export const attention = new Attention();
