/** Throttling: at most one change per frame. The first is passed on at once, then only the latest of those that follow. */

const FRAME = 16;

export function throttled<T>(take: (value: T) => void): (value: T) => void {
  let [takenAt, latest, waiting] = [-Infinity, undefined as T, false];
  const run = () => {
    [takenAt, waiting] = [performance.now(), false];
    take(latest);
  };
  return (value) => {
    latest = value;
    if (waiting) return;
    if (performance.now() - takenAt >= FRAME) return run();
    waiting = true;
    // a timer, not an animation frame: a hidden page has no frames, but its title still shows the unread count
    setTimeout(run, FRAME);
  };
}
