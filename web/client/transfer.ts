/** One request that uploads bytes of a file and reports its progress. */
import { Problem, problemOf, unreachable } from './problem';

export interface Transfer {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: Blob;
  /** Called with the number of bytes sent so far. */
  progress?(sent: number): void;
  signal: AbortSignal;
}

/** Returns the answer's headers. Every failure is thrown as a `Problem`, including an abort. */
export type TransferFunction = (transfer: Transfer) => Promise<Headers>;

/** Milliseconds that a chunk may take, including the previews that the server makes of a picture. */
const TRANSFER_TIMEOUT = 120_000;

/** Upload with XMLHttpRequest, because `fetch` does not report upload progress. */
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
  return new Problem({ status: 0, code: 'called_off', detail: 'The upload was canceled.' });
}
