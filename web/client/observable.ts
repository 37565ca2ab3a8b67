/** A view that changes: whoever subscribes is called now, and once for all that changes together. */
export class Live<V extends object> {
  private telling = false;
  private readonly listeners = new Set<(view: V) => void>();

  constructor(private current: V) {}

  get view(): V {
    return this.current;
  }

  subscribe(listener: (view: V) => void): () => void {
    this.listeners.add(listener);
    listener(this.current);
    return () => this.listeners.delete(listener);
  }

  become(change: Partial<V>): void {
    this.current = { ...this.current, ...change };
    if (this.telling) return;
    this.telling = true;
    queueMicrotask(() => {
      this.telling = false;
      for (const listener of this.listeners) listener(this.current);
    });
  }
}
