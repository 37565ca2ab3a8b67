/**
 * One connection to the stream, and one long-poll: each opens, tells what it hears, and says how it ended.
 * Neither throws.
 *
 * `fetch` and not `EventSource`: only so can a 401 be told from a 503, Retry-After be read, the cursor be
 * sent as a header on the first connection too, and a connection that has gone silent be cut.
 */
import { type Entry, type Notice, decode, type Received } from './entry';
import { Problem, problemOf, unreachable } from './problem';
import { SseParser } from './sse';

export type End =
  | { kind: 'closed' }
  | { kind: 'silent' }
  | { kind: 'failed'; problem: Problem }
  | { kind: 'reset'; reason: string }
  | { kind: 'bye'; reason: string };

export interface Asked {
  url: string;
  headers: Record<string, string>;
  signal: AbortSignal;
}

export interface Listener {
  /** Hears an entry or a notice; an end that it returns closes the connection. */
  hear(told: Entry | Notice): End | undefined;
  /** Hears the server's `retry:` in milliseconds. */
  retry(milliseconds: number): void;
}

export interface Patience {
  /** Milliseconds until `ready` must have come, and the longest silence after it. */
  readyWithin: number;
  silence: number;
}

/**
 * Reads one stream to its end. Silence is noticed by a timer that every received byte sets anew, once `ready`
 * has come.
 */
export async function readStream(asked: Asked, patience: Patience, listener: Listener): Promise<End> {
  const cut = new AbortController();
  let watchdog = setTimeout(() => cut.abort(), patience.readyWithin);
  let ready = false;
  try {
    const response = await fetch(asked.url, {
      headers: { ...asked.headers, Accept: 'text/event-stream' },
      signal: AbortSignal.any([asked.signal, cut.signal]),
      cache: 'no-store',
    });
    if (!response.ok) return { kind: 'failed', problem: await problemOf(response) };
    if (!isStream(response) || !response.body) return { kind: 'failed', problem: notTandem() };
    const parser = new SseParser();
    for await (const text of texts(response.body)) {
      for (const frame of parser.push(text)) {
        if (frame.retry !== null) listener.retry(frame.retry);
        const told = decode(frame);
        const end = told && listener.hear(told);
        if (end) return end;
        ready ||= told?.event === 'ready';
      }
      if (!ready) continue;
      clearTimeout(watchdog);
      watchdog = setTimeout(() => cut.abort(), patience.silence);
    }
    return ready ? { kind: 'closed' } : { kind: 'failed', problem: unreachable() };
  } catch {
    if (asked.signal.aborted) return { kind: 'closed' };
    if (cut.signal.aborted) return { kind: 'silent' };
    return ready ? { kind: 'closed' } : { kind: 'failed', problem: unreachable() };
  } finally {
    clearTimeout(watchdog);
    cut.abort();
  }
}

/** Milliseconds that the body of an answer may take: a page of a megabyte, over a slow line. */
const BODY_WITHIN = 60_000;

/**
 * Asks once for the entries after the cursor; returns the cursor of the answer, or how it ended. The answer has
 * to begin within so many milliseconds.
 */
export async function pollOnce(asked: Asked, within: number, listener: Listener): Promise<string | End> {
  const cut = new AbortController();
  let watchdog = setTimeout(() => cut.abort(), within);
  try {
    const response = await fetch(asked.url, {
      headers: { ...asked.headers, Accept: 'application/json' },
      signal: AbortSignal.any([asked.signal, cut.signal]),
      cache: 'no-store',
    });
    clearTimeout(watchdog);
    watchdog = setTimeout(() => cut.abort(), BODY_WITHIN);
    if (!response.ok) return { kind: 'failed', problem: await problemOf(response) };
    const answer = (await response.json()) as { events: Received[]; cursor: string; reset?: string };
    if (answer.reset) return { kind: 'reset', reason: answer.reset };
    for (const received of answer.events) {
      const told = decode(received);
      const end = told && listener.hear(told);
      if (end) return end;
    }
    return answer.cursor;
  } catch {
    return asked.signal.aborted ? { kind: 'closed' } : { kind: 'failed', problem: unreachable() };
  } finally {
    clearTimeout(watchdog);
  }
}

async function* texts(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      yield decoder.decode(read.value, { stream: true });
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function isStream(response: Response): boolean {
  return response.headers.get('Content-Type')?.startsWith('text/event-stream') ?? false;
}

function notTandem(): Problem {
  return new Problem({
    status: 0,
    code: 'not_a_stream',
    detail: 'Something on the way answered in place of the server.',
  });
}
