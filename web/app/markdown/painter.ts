/** Highlights code in a worker, one block at a time, each within a time limit. Until then code is shown plain. */
import type { Paint } from './parser';
import type { Block } from './render';

/** Milliseconds that a block may take; most take one or two. */
const TIMEOUT = 250;
/** Milliseconds until the worker must have loaded its languages. */
const LOADING = 10_000;
const KEPT_MOST = 500;
const WAITING_MOST = 200;

interface Job {
  block: Block;
  done(html: string): void;
}

export class Painter {
  private readonly known = new Map<string, Promise<string>>();
  private waiting: Job[] = [];
  private busy = false;
  private worker: Worker | null = null;

  constructor(
    private readonly start: () => Worker = () =>
      new Worker(new URL('./paint.worker.ts', import.meta.url), { type: 'module' }),
  ) {}

  /** Highlight these blocks. A block that takes too long or whose language is unknown stays plain. */
  async paint(blocks: Block[]): Promise<Paint> {
    const painted = await Promise.all(blocks.map((block) => this.one(block)));
    const found = new Map(blocks.map((block, n) => [keyOf(block), painted[n] ?? '']));
    return (code, language) => found.get(keyOf({ code, language })) ?? '';
  }

  private one(block: Block): Promise<string> {
    const key = keyOf(block);
    const known = this.known.get(key);
    if (known) return known;
    if (this.waiting.length >= WAITING_MOST) return Promise.resolve('');
    const html = new Promise<string>((done) => this.waiting.push({ block, done }));
    if (this.known.size >= KEPT_MOST) this.known.delete(this.known.keys().next().value as string);
    this.known.set(key, html);
    this.next();
    return html;
  }

  private next(): void {
    const job = this.busy ? undefined : this.waiting.shift();
    if (!job) return;
    this.busy = true;
    let timer = setTimeout(() => giveUp(), this.worker ? TIMEOUT : LOADING);
    const worker = (this.worker ??= this.start());
    const end = (html: string) => {
      clearTimeout(timer);
      worker.onmessage = worker.onerror = null;
      this.busy = false;
      job.done(html);
      this.next();
    };
    const giveUp = () => {
      worker.terminate();
      this.worker = null;
      end('');
    };
    worker.onmessage = ({ data }: MessageEvent<string | null>) => {
      if (data !== null) return end(data);
      clearTimeout(timer);
      timer = setTimeout(giveUp, TIMEOUT);
    };
    worker.onerror = giveUp;
    worker.postMessage(job.block);
  }
}

const keyOf = ({ code, language }: Block) => `${language}\n${code}`;

export const painter = new Painter();
