/** Runs something while an element is on the screen, or close to it. */
import type { Attachment } from 'svelte/attachments';

const changes = new WeakMap<Element, (seen: boolean) => void>();
let observer: IntersectionObserver | undefined;

function observe(): IntersectionObserver {
  const look = (entries: IntersectionObserverEntry[]) => {
    for (const entry of entries) changes.get(entry.target)?.(entry.isIntersecting);
  };
  return (observer ??= new IntersectionObserver(look, { rootMargin: '120px' }));
}

/** Call `enter()` when the element comes into view, and the function that it returned when the element leaves. */
export function onScreen(enter: () => () => void): Attachment {
  return (element) => {
    let leave: (() => void) | null = null;
    changes.set(element, (seen) => {
      if (seen) leave ??= enter();
      else [leave] = [null, leave?.()];
    });
    observe().observe(element);
    return () => {
      observe().unobserve(element);
      leave?.();
    };
  };
}
