/** Small things kept on this device, or in this tab. A browser may refuse to keep any: then they last as long as the page. */

type Where = 'device' | 'tab';

export function kept(where: Where, key: string): string | null {
  try {
    return storage(where).getItem(key);
  } catch {
    return null;
  }
}

/** Keeps a text under its key; an empty one is forgotten. */
export function keep(where: Where, key: string, text: string): void {
  try {
    if (text) storage(where).setItem(key, text);
    else storage(where).removeItem(key);
  } catch {
    // full, or forbidden
  }
}

/** Forgets everything, on this device and in this tab. */
export function forgetAll(): void {
  for (const where of ['device', 'tab'] as const)
    try {
      storage(where).clear();
    } catch {
      // forbidden: then nothing is kept
    }
}

/** How many texts are kept on this device under keys that begin so. */
export function countKept(start: string): number {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(start)).length;
  } catch {
    return 0;
  }
}

/** Tells what another tab keeps under this key on this device; empty: it was forgotten. */
export function hear(key: string, take: (text: string) => void): () => void {
  const listen = (event: StorageEvent) => event.key === key && take(event.newValue ?? '');
  addEventListener('storage', listen);
  return () => removeEventListener('storage', listen);
}

function storage(where: Where): Storage {
  return where === 'device' ? localStorage : sessionStorage;
}
