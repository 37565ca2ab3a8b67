/** Small values stored on this device or in this tab. If the browser refuses to store them, they last as long as the page. */

type Where = 'device' | 'tab';

export function kept(where: Where, key: string): string | null {
  try {
    return storage(where).getItem(key);
  } catch {
    return null;
  }
}

/** Store a text under its key. An empty text deletes the key. */
export function keep(where: Where, key: string, text: string): void {
  try {
    if (text) storage(where).setItem(key, text);
    else storage(where).removeItem(key);
  } catch {
    // full, or forbidden
  }
}

/** Delete everything that is stored on this device and in this tab. */
export function forgetAll(): void {
  for (const where of ['device', 'tab'] as const)
    try {
      storage(where).clear();
    } catch {
      // forbidden, so nothing is stored
    }
}

/** Return the keys on this device with this prefix. */
export function keysKept(start: string): string[] {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(start));
  } catch {
    return [];
  }
}

/** Call `take` with each text that another tab stores under this key; an empty text means that it was deleted. */
export function hear(key: string, take: (text: string) => void): () => void {
  const listen = (event: StorageEvent) => event.key === key && take(event.newValue ?? '');
  addEventListener('storage', listen);
  return () => removeEventListener('storage', listen);
}

function storage(where: Where): Storage {
  return where === 'device' ? localStorage : sessionStorage;
}
