/**
 * One connection to the stream, and one long-poll. Each passes its events to a handler and returns how it ended.
 * Neither throws.
 *
 * This uses `fetch` instead of `EventSource`. Only `fetch` can tell a 401 from a 503, read Retry-After, send the
 * cursor as a header on the first connection, and close a silent connection.
 */
import { fetchWithCredentials } from './credentials';
import { decodeEvent, type RawEvent, type StreamEvent } from './entry';
import { Problem, problemOf, unreachable } from './problem';
import { SseParser } from './sse';

export type ConnectionEnd =
  | { kind: 'closed' }
  | { kind: 'silent' }
  | { kind: 'failed'; problem: Problem }
  | { kind: 'reset'; reason: string }
  | { kind: 'bye'; reason: string };

export interface StreamRequest {
  url: string;
  headers(): Record<string, string>;
  signal: AbortSignal;
}

export interface StreamHandler {
  /** Take an entry or a control event. If it returns an end, the connection closes. */
  onEvent(event: StreamEvent): ConnectionEnd | undefined;
  /** Take the server's `retry:`, in milliseconds. */
  onRetry(milliseconds: number): void;
  /** Take the cursor of an answer to a valid cursor. Its epoch may be a later one of the same log. */
  onResumed?(cursor: string): void;
}

export interface StreamTimeouts {
  /** Milliseconds within which `ready` must arrive, and the longest silence after it. */
  readyWithin: number;
  silence: number;
}

/** Read one stream to its end. Once `ready` has arrived, a timer that every received byte restarts detects silence. */
export async function readStream(
  request: StreamRequest,
  timeouts: StreamTimeouts,
  handler: StreamHandler,
): Promise<ConnectionEnd> {
  const timeout = new AbortController();
  let watchdog = setTimeout(() => timeout.abort(), timeouts.readyWithin);
  let ready = false;
  try {
    const response = await fetchWithCredentials(request.url, () => ({
      // Not `text/event-stream`: clients that ask for that are told to retry by a stream, because an EventSource cannot
      // read a status.
      headers: { ...request.headers(), Accept: '*/*' },
      signal: AbortSignal.any([request.signal, timeout.signal]),
      cache: 'no-store',
    }));
    if (!response.ok) return { kind: 'failed', problem: await problemOf(response) };
    if (!isStream(response) || !response.body) return { kind: 'failed', problem: notAStream() };
    const parser = new SseParser();
    for await (const text of decodeChunks(response.body)) {
      for (const frame of parser.push(text)) {
        if (frame.retry !== null) handler.onRetry(frame.retry);
        const event = decodeEvent(frame);
        const end = event && handler.onEvent(event);
        if (end) return end;
        ready ||= event?.event === 'ready';
      }
      if (!ready) continue;
      clearTimeout(watchdog);
      watchdog = setTimeout(() => timeout.abort(), timeouts.silence);
    }
    return ready ? { kind: 'closed' } : { kind: 'failed', problem: unreachable() };
  } catch {
    if (request.signal.aborted) return { kind: 'closed' };
    if (timeout.signal.aborted) return { kind: 'silent' };
    return ready ? { kind: 'closed' } : { kind: 'failed', problem: unreachable() };
  } finally {
    clearTimeout(watchdog);
    timeout.abort();
  }
}

/** Milliseconds that an answer's body may take: enough for a megabyte over a slow connection. */
const BODY_WITHIN = 60_000;

/**
 * Request the entries after the cursor once. Return the answer's cursor, or how the request ended. The answer must
 * begin within `answerWithin` milliseconds.
 */
export async function pollOnce(
  request: StreamRequest,
  answerWithin: number,
  handler: StreamHandler,
): Promise<string | ConnectionEnd> {
  const timeout = new AbortController();
  let watchdog = setTimeout(() => timeout.abort(), answerWithin);
  try {
    const response = await fetchWithCredentials(request.url, () => ({
      headers: { ...request.headers(), Accept: 'application/json' },
      signal: AbortSignal.any([request.signal, timeout.signal]),
      cache: 'no-store',
    }));
    clearTimeout(watchdog);
    watchdog = setTimeout(() => timeout.abort(), BODY_WITHIN);
    if (!response.ok) return { kind: 'failed', problem: await problemOf(response) };
    const answer = (await response.json()) as { events: RawEvent[]; cursor: string; reset?: string };
    if (answer.reset) return { kind: 'reset', reason: answer.reset };
    handler.onResumed?.(answer.cursor);
    for (const raw of answer.events) {
      const event = decodeEvent(raw);
      const end = event && handler.onEvent(event);
      if (end) return end;
    }
    return answer.cursor;
  } catch {
    return request.signal.aborted ? { kind: 'closed' } : { kind: 'failed', problem: unreachable() };
  } finally {
    clearTimeout(watchdog);
  }
}

async function* decodeChunks(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
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

function notAStream(): Problem {
  return new Problem({
    status: 0,
    code: 'not_a_stream',
    detail: 'The answer did not come from Tandem. A proxy may have answered instead.',
  });
}
