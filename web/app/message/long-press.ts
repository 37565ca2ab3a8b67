/** A long press on a touch screen, which replaces hovering. */
import type { Attachment } from 'svelte/attachments';

/** Milliseconds until a press is long. */
const LONG = 450;
/** Pixels that a finger may move meanwhile. */
const STILL = 10;

/** Run a function on each long press of the element. */
export function longPress(run: () => void): Attachment<HTMLElement> {
  return (element) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let [x, y, pressed] = [0, 0, false];
    const end = () => clearTimeout(timer);
    const begin = (event: PointerEvent) => {
      end();
      pressed = false;
      if (event.pointerType !== 'touch') return;
      [x, y] = [event.clientX, event.clientY];
      timer = setTimeout(() => {
        pressed = true;
        run();
      }, LONG);
    };
    const move = (event: PointerEvent) => {
      if (Math.hypot(event.clientX - x, event.clientY - y) > STILL) end();
    };
    // prevent the browser's own menu, and the click when the finger is lifted
    const menu = (event: Event) => pressed && event.preventDefault();
    const click = (event: Event) => {
      if (pressed) event.preventDefault();
      if (pressed) event.stopPropagation();
      pressed = false;
    };
    const heard: [string, EventListener, boolean][] = [
      ['pointerdown', begin as EventListener, false],
      ['pointermove', move as EventListener, false],
      ['pointerup', end, false],
      ['pointercancel', end, false],
      ['contextmenu', menu, false],
      ['click', click, true],
    ];
    for (const [name, hear, early] of heard) element.addEventListener(name, hear, early);
    return () => {
      end();
      for (const [name, hear, early] of heard) element.removeEventListener(name, hear, early);
    };
  };
}
