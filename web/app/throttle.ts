/**
 * At most one change a frame: the first at once, those that follow closely together and the latest of them
 * alone.
 */

const FRAME = 16;

export function paced<T>(take: (value: T) => void): (value: T) => void {
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
    // a timer, not an animation frame: a hidden page has no frames, and its title still counts what is unread
    setTimeout(run, FRAME);
  };
}
