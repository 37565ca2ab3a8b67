/**
 * A file on its way up, in pieces: whatever cuts it, it asks where it stands and goes on from there. Pieces grow
 * while they go fast, so that a good line is not slowed and a bad one loses little.
 */
import type { Api } from './api';
import { type Backoff, delay } from './backoff';
import { asProblem, Problem } from './problem';
import { type Transferring, transferByXhr } from './transfer';
import type { Id, SentFile } from './types';

/**
 * `sent` counts bytes. `waiting` for its turn or for the server to be reachable again, `checking` when all is up
 * and the server looks at it, `failed` until tried again, `done` with what it has become.
 */
export interface UploadState {
  name: 'waiting' | 'sending' | 'checking' | 'done' | 'failed' | 'cancelled';
  sent: number;
  file?: SentFile;
  problem?: Problem;
}

export interface UploadOptions {
  api: Api;
  source: Blob;
  name: string;
  changed(state: UploadState): void;
  transfer?: Transferring;
  backoff?: Backoff;
}

const BACKOFF: Backoff = { first: 1_000, most: 15_000 };
const [FIRST_PIECE, LARGEST_PIECE] = [256 * 1024, 8 * 1024 * 1024];
/** Milliseconds that a piece takes at most for the next one to be larger. */
const FAST = 1_500;
/** So many go up at once: a browser has few connections, and the talk needs its own. */
const AT_ONCE = 2;

export class Upload {
  state: UploadState = { name: 'waiting', sent: 0 };
  private id: Id | null = null;
  private piece = FIRST_PIECE;
  private stop = new AbortController();
  private goOn: (() => void) | null = null;

  constructor(private readonly options: UploadOptions) {
    void this.run();
  }

  /** Gives it up, here and on the server. */
  cancel(): void {
    this.become({ name: 'cancelled', sent: 0 });
    this.stop.abort();
    this.goOn?.();
    if (this.id !== null) void this.options.api.cancelUpload(this.id).catch(() => undefined);
  }

  /** Tries a failed one again, from where it stands. */
  retry(): void {
    if (this.state.name !== 'failed') return;
    this.stop = new AbortController();
    this.become({ name: 'waiting', sent: this.state.sent });
    void this.run();
  }

  /** The network is back. */
  wake(): void {
    this.goOn?.();
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.over; ) {
      const before = this.state.sent;
      try {
        await turns.take(() => this.attempt());
        return;
      } catch (error) {
        const problem = asProblem(error);
        if (this.over) return;
        if (!mayPass(problem)) return this.become({ name: 'failed', sent: this.state.sent, problem });
        if (this.state.sent > before) failures = 0;
        this.become({ name: 'waiting', sent: this.state.sent, problem });
        await this.rest(delay(failures++, this.options.backoff ?? BACKOFF, Math.random(), problem.retryAfter));
      }
    }
  }

  private get over(): boolean {
    return this.state.name === 'cancelled';
  }

  private async attempt(): Promise<void> {
    if (this.over) return;
    const { api, source, name } = this.options;
    this.become({ name: 'sending', sent: this.state.sent });
    let offset = this.id === null ? 0 : await api.uploadOffset(this.id).catch(forgotten);
    if (offset === null) [this.id, offset] = [null, 0];
    this.id ??= await api.beginUpload(name, source.size);
    // the last piece may be there without having been looked at: an empty one says so
    do offset = await this.send(this.id, offset);
    while (offset < source.size && !this.over);
    if (this.over) return void api.cancelUpload(this.id).catch(() => undefined);
    this.become({ name: 'done', sent: source.size, file: await api.sentFile(this.id) });
  }

  private async send(id: Id, offset: number): Promise<number> {
    const { api, source, transfer = transferByXhr } = this.options;
    const end = Math.min(source.size, offset + this.piece);
    const began = Date.now();
    const headers = await transfer({
      method: 'PATCH',
      url: `${api.base}/api/files/${id}`,
      headers: { ...api.identity(), 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' },
      body: source.slice(offset, end),
      progress: (sent) => this.show(offset + sent),
      signal: this.stop.signal,
    });
    if (Date.now() - began < FAST) this.piece = Math.min(LARGEST_PIECE, this.piece * 2);
    else this.piece = Math.max(FIRST_PIECE, this.piece / 2);
    const stands = Number(headers.get('Upload-Offset') ?? end);
    this.show(stands);
    return stands;
  }

  private show(sent: number): void {
    const { size } = this.options.source;
    if (!this.over) this.become({ name: sent < size ? 'sending' : 'checking', sent: Math.min(sent, size) });
  }

  private become(state: UploadState): void {
    this.state = state;
    this.options.changed(state);
  }

  private rest(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.goOn?.(), milliseconds);
      this.goOn = () => {
        clearTimeout(timer);
        this.goOn = null;
        resolve();
      };
    });
  }
}

/** A full disk does not empty itself while one waits; who stands elsewhere than was thought asks again. */
function mayPass(problem: Problem): boolean {
  return (problem.passing && problem.status !== 507) || problem.code === 'wrong_offset' || problem.code === 'unfinished';
}

/** The server does not know it any more: it begins anew. */
function forgotten(error: unknown): null {
  const problem = asProblem(error);
  if (problem.status !== 404) throw problem;
  return null;
}

class Turns {
  private free = AT_ONCE;
  private readonly queue: (() => void)[] = [];

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.queue.shift();
      if (next) next();
      else this.free += 1;
    }
  }
}

const turns = new Turns();
