/**
 * Uploads a file in chunks. After an interruption it asks the server for the offset and continues there. Chunks
 * grow while they are fast: a good connection is not slowed down, and a bad one loses little.
 */
import type { Api } from './api';
import { type Backoff, delay } from './backoff';
import { asProblem, Problem } from './problem';
import { type TransferFunction, transferByXhr } from './transfer';
import type { Id, SentFile } from './types';

/**
 * `sent` counts bytes. `waiting`: for its turn, or until the server is reachable. `checking`: all bytes are sent
 * and the server examines the file. `failed`: until retried. `done`: with the resulting file.
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
  /** A file that an admin imports; without it, one for a message. */
  purpose?: 'import';
  onChange(state: UploadState): void;
  transfer?: TransferFunction;
  backoff?: Backoff;
}

const BACKOFF: Backoff = { first: 1_000, most: 15_000 };
const [FIRST_CHUNK, LARGEST_CHUNK] = [256 * 1024, 8 * 1024 * 1024];
/** The next chunk is larger if this one took fewer milliseconds. */
const FAST_CHUNK = 1_500;
/** The most uploads at once: a browser has few connections, and chat needs its own. */
const CONCURRENT_UPLOADS = 2;

export class Upload {
  state: UploadState = { name: 'waiting', sent: 0 };
  private id: Id | null = null;
  private chunkSize = FIRST_CHUNK;
  private aborting = new AbortController();
  private endWait: (() => void) | null = null;

  constructor(private readonly options: UploadOptions) {
    void this.run();
  }

  /** Cancel the upload, here and on the server. */
  cancel(): void {
    this.update({ name: 'cancelled', sent: 0 });
    this.aborting.abort();
    this.endWait?.();
    if (this.id !== null) void this.options.api.cancelUpload(this.id).catch(() => undefined);
  }

  /** Retry a failed upload from the server's offset. */
  retry(): void {
    if (this.state.name !== 'failed') return;
    this.aborting = new AbortController();
    this.update({ name: 'waiting', sent: this.state.sent });
    void this.run();
  }

  /** Retry at once: the network is back. */
  wake(): void {
    this.endWait?.();
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.cancelled; ) {
      const before = this.state.sent;
      try {
        await slots.run(() => this.attempt());
        return;
      } catch (error) {
        const problem = asProblem(error);
        if (this.cancelled) return;
        if (!isTemporary(problem)) return this.update({ name: 'failed', sent: this.state.sent, problem });
        if (this.state.sent > before) failures = 0;
        this.update({ name: 'waiting', sent: this.state.sent, problem });
        await this.wait(delay(failures++, this.options.backoff ?? BACKOFF, Math.random(), problem.retryAfter));
      }
    }
  }

  private get cancelled(): boolean {
    return this.state.name === 'cancelled';
  }

  private async attempt(): Promise<void> {
    if (this.cancelled) return;
    const { api, source, name, purpose } = this.options;
    this.update({ name: 'sending', sent: this.state.sent });
    let offset = this.id === null ? 0 : await api.uploadOffset(this.id).catch(nullIfUnknown);
    if (offset === null) [this.id, offset] = [null, 0];
    this.id ??= await api.beginUpload(name, source.size, purpose);
    // the last chunk can be stored but not examined yet: an empty chunk asks for that
    do offset = await this.send(this.id, offset);
    while (offset < source.size && !this.cancelled);
    if (this.cancelled) return void api.cancelUpload(this.id).catch(() => undefined);
    this.update({ name: 'done', sent: source.size, file: await api.sentFile(this.id) });
  }

  private async send(id: Id, offset: number): Promise<number> {
    const { api, source, transfer = transferByXhr } = this.options;
    const end = Math.min(source.size, offset + this.chunkSize);
    const began = Date.now();
    const headers = await transfer({
      method: 'PATCH',
      url: `${api.base}/api/files/${id}`,
      headers: { ...api.identity(), 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' },
      body: source.slice(offset, end),
      progress: (sent) => this.showProgress(offset + sent),
      signal: this.aborting.signal,
    });
    if (Date.now() - began < FAST_CHUNK) this.chunkSize = Math.min(LARGEST_CHUNK, this.chunkSize * 2);
    else this.chunkSize = Math.max(FIRST_CHUNK, this.chunkSize / 2);
    const stands = Number(headers.get('Upload-Offset') ?? end);
    this.showProgress(stands);
    return stands;
  }

  private showProgress(sent: number): void {
    const { size } = this.options.source;
    if (!this.cancelled) this.update({ name: sent < size ? 'sending' : 'checking', sent: Math.min(sent, size) });
  }

  private update(state: UploadState): void {
    this.state = state;
    this.options.onChange(state);
  }

  private wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.endWait?.(), milliseconds);
      this.endWait = () => {
        clearTimeout(timer);
        this.endWait = null;
        resolve();
      };
    });
  }
}

/** Return true if a retry can help. A full disk does not empty itself; a wrong offset is asked for again. */
function isTemporary(problem: Problem): boolean {
  return (problem.temporary && problem.status !== 507) || problem.code === 'wrong_offset' || problem.code === 'unfinished';
}

/** Return null if the server no longer knows the upload, so that it starts over; otherwise throw. */
function nullIfUnknown(error: unknown): null {
  const problem = asProblem(error);
  if (problem.status !== 404) throw problem;
  return null;
}

class Slots {
  private free = CONCURRENT_UPLOADS;
  private readonly queue: (() => void)[] = [];

  async run<T>(work: () => Promise<T>): Promise<T> {
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

const slots = new Slots();
