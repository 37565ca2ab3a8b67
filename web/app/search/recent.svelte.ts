/** Recent searches, stored on this device. */
import { keep, kept } from '../local-storage';

const MOST = 6;

export class Recent {
  all = $state.raw<string[]>([]);

  constructor(private readonly key: string) {
    const text = kept('device', key);
    this.all = text ? text.split('\n') : [];
  }

  add(q: string): void {
    const text = q.trim();
    if (text) this.set([text, ...this.all.filter((one) => one !== text)].slice(0, MOST));
  }

  clear(): void {
    this.set([]);
  }

  private set(all: string[]): void {
    this.all = all;
    keep('device', this.key, all.join('\n'));
  }
}
