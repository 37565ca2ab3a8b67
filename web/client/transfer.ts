/** One request that carries a file's bytes and tells how many of them have gone. */
import { Problem, problemOf, unreachable } from './problem';

export interface Transfer {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: Blob;
  /** How many bytes of the body are on their way. */
  progress?(sent: number): void;
  signal: AbortSignal;
}

/** The headers of the answer; every failure is a `Problem`, one that was called off among them. */
export type TransferFunction = (transfer: Transfer) => Promise<Headers>;

/** Milliseconds: as long as a piece may take, its picture's previews included. */
const TRANSFER_TIMEOUT = 120_000;

/** `fetch` tells nothing of what has been sent; this older way does. */
export const transferByXhr: TransferFunction = ({ method, url, headers, body, progress, signal }) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const fail = () => reject(unreachable());
    request.open(method, url);
    request.timeout = TRANSFER_TIMEOUT;
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => progress?.(event.loaded);
    request.onload = () => headersOf(request).then(resolve, reject);
    request.onerror = request.ontimeout = fail;
    request.onabort = () => reject(aborted());
    signal.addEventListener('abort', () => request.abort());
    if (signal.aborted) reject(aborted());
    else request.send(body ?? null);
  });

async function headersOf(request: XMLHttpRequest): Promise<Headers> {
  const headers = new Headers();
  for (const line of request.getAllResponseHeaders().trim().split(/[\r\n]+/)) {
    const at = line.indexOf(':');
    if (at > 0) headers.append(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  if (request.status >= 200 && request.status < 300) return headers;
  throw await problemOf(new Response(request.responseText, { status: request.status, headers }));
}

export function aborted(): Problem {
  return new Problem({ status: 0, code: 'called_off', detail: 'This was called off.' });
}
