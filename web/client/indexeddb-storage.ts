/** Stores unsent messages in the browser's IndexedDB. In a browser without it, they last as long as the page. */
import type { OutboxStorage, Outgoing } from './outgoing';

const STORE = 'outbox';

interface Row {
  order: number;
  outgoing: Outgoing;
}

export class IndexedDbStorage implements OutboxStorage {
  private readonly database: Promise<IDBDatabase | null>;
  private readonly orders = new Map<string, number>();
  private last = 0;

  /** `name` is the database's name: one for each user. */
  constructor(name: string) {
    this.database = open(name).catch(() => null);
  }

  async loadAll(): Promise<Outgoing[]> {
    const database = await this.database;
    if (!database) return [];
    const rows = await resultOf<Row[]>(database.transaction(STORE).objectStore(STORE).getAll()).catch(() => []);
    rows.sort((one, other) => one.order - other.order);
    for (const { order, outgoing } of rows) this.orders.set(outgoing.clientId, order);
    return rows.map(({ outgoing }) => outgoing);
  }

  put(outgoing: Outgoing): void {
    // several tabs write: the clock orders their messages, and one tab's numbers never go back
    this.last = Math.max(this.last + 1, Date.now());
    const order = this.orders.get(outgoing.clientId) ?? this.last;
    this.orders.set(outgoing.clientId, order);
    void this.change((store) => store.put({ order, outgoing }, outgoing.clientId));
  }

  drop(clientId: string): void {
    this.orders.delete(clientId);
    void this.change((store) => store.delete(clientId));
  }

  /** Delete all messages. */
  clear(): Promise<void> {
    return this.change((store) => store.clear());
  }

  private async change(how: (store: IDBObjectStore) => IDBRequest): Promise<void> {
    const database = await this.database;
    if (!database) return;
    const transaction = database.transaction(STORE, 'readwrite');
    const asked = resultOf(how(transaction.objectStore(STORE)));
    // commit at once, before the success event: the tab can be closed right after a message is sent
    transaction.commit();
    await asked.catch(() => undefined); // storage is full or closing: the message lasts as long as the page
  }
}

function open(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return resultOf(request);
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'));
  });
}
