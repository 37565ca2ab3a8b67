/** Whether the person is looking at this page: it is visible and has the focus. */
class Attention {
  here = $state(looking());

  constructor() {
    const look = () => (this.here = looking());
    for (const event of ['focus', 'blur', 'pageshow']) addEventListener(event, look);
    document.addEventListener('visibilitychange', look);
  }
}

function looking(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus();
}

export const attention = new Attention();
