/** A value with subscribers. A subscriber is called at once, and then once for all changes of the same microtask. */
export class Observable<V extends object> {
  private scheduled = false;
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

  update(change: Partial<V>): void {
    this.current = { ...this.current, ...change };
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      for (const listener of this.listeners) listener(this.current);
    });
  }
}
