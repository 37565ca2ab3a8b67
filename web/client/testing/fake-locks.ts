/** A browser's locks within one process, for tests. Each name has a queue; the request of a stolen lock is rejected. */
import type { Locks } from '../tabs/leadership';

interface Wait {
  mode: LockMode;
  grant(): void;
}

interface Holder extends Pick<Wait, 'mode'> {
  lose(): void;
}

export class FakeLocks implements Locks {
  private readonly held = new Map<string, Set<Holder>>();
  private readonly waiting = new Map<string, Wait[]>();

  request(name: string, given: unknown, ...rest: unknown[]): Promise<never> {
    const options = given as LockOptions;
    const run = rest[0] as () => unknown;
    const mode = options.mode ?? 'exclusive';
    return new Promise((resolve, reject) => {
      const holder: Holder = { mode, lose: () => reject(new DOMException('stolen', 'AbortError')) };
      const wait: Wait = { mode, grant: () => void this.hold(name, holder, run).then(resolve as () => void, reject) };
      const give = () => {
        this.waiting.set(name, (this.waiting.get(name) ?? []).filter((one) => one !== wait));
        reject(new DOMException('given up', 'AbortError'));
      };
      options.signal?.addEventListener('abort', give);
      if (options.steal) this.steal(name);
      this.waiting.set(name, [...(options.steal ? [wait] : []), ...(this.waiting.get(name) ?? []), ...(options.steal ? [] : [wait])]);
      queueMicrotask(() => this.next(name));
    });
  }

  private steal(name: string): void {
    for (const holder of this.held.get(name) ?? []) holder.lose();
    this.held.delete(name);
  }

  private next(name: string): void {
    const [first, ...others] = this.waiting.get(name) ?? [];
    const held = [...(this.held.get(name) ?? [])];
    const free = held.every((one) => one.mode === 'shared' && first?.mode === 'shared');
    if (!first || !free) return;
    this.waiting.set(name, others);
    first.grant();
  }

  private async hold(name: string, holder: Holder, run: () => unknown): Promise<void> {
    const all = this.held.get(name) ?? new Set();
    this.held.set(name, all.add(holder));
    await run();
    all.delete(holder);
    this.next(name);
  }
}
