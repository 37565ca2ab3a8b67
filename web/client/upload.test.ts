/** Uploads to a small real server that can fail. Whatever happens, the bytes arrive once and in order. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Api } from './api';
import { eventually } from './testing/fake-server';
import { problemOf, unreachable } from './problem';
import type { TransferFunction } from './transfer';
import { aborted } from './transfer';
import { Upload, type UploadState } from './upload';

let server: Server;
let url: string;
let stored: Buffer;
let size: number;
let requests: string[];
/** Called before each chunk: `cut` breaks the connection after half of it, a number is an error status. */
let failAt: (offset: number) => 'cut' | number | null;

beforeEach(async () => {
  [stored, size, requests, failAt] = [Buffer.alloc(0), 0, [], () => null];
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    requests.push(request.method ?? '');
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      const file = { id: 7, name: 'a', size, type: 'text/plain' };
      const offset = Number(request.headers['upload-offset']);
      const refuse = (status: number, code: string) => response.writeHead(status).end(JSON.stringify({ status, code, detail: code }));
      if (request.method === 'POST') {
        size = Number(request.headers['upload-length']);
        response.writeHead(201).end(JSON.stringify({ file }));
      } else if (request.method === 'HEAD') response.writeHead(200, { 'Upload-Offset': stored.length }).end();
      else if (request.method === 'GET') response.end(JSON.stringify({ file, ready: true }));
      else if (request.method === 'DELETE') response.writeHead(204).end();
      else {
        const wrong = failAt(offset);
        if (wrong === 'cut') {
          stored = Buffer.concat([stored, body.subarray(0, body.length / 2)]);
          request.socket.destroy();
        } else if (wrong) refuse(wrong, 'no');
        else if (offset !== stored.length) refuse(409, 'wrong_offset');
        else {
          stored = Buffer.concat([stored, body]);
          response.writeHead(204, { 'Upload-Offset': stored.length }).end();
        }
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))));

/** XMLHttpRequest does not exist in Node; this does the same with `fetch`. */
const transfer: TransferFunction = async ({ method, url: to, headers, body, progress, signal }) => {
  const response = await fetch(to, { method, headers, signal, ...(body && { body }) }).catch(() => {
    throw signal.aborted ? aborted() : unreachable();
  });
  if (!response.ok) throw await problemOf(response);
  progress?.(body?.size ?? 0);
  return response.headers;
};

const data = Buffer.from(Array.from({ length: 3_000_000 }, (_, n) => (n * 7919) % 251));

function uploads(source = data): { upload: Upload; states: UploadState[] } {
  const states: UploadState[] = [];
  const upload = new Upload({
    api: new Api({ base: url }),
    source: new Blob([source]),
    name: 'a',
    onChange: (state) => states.push(state),
    transfer,
    backoff: { first: 1, most: 5 },
  });
  return { upload, states };
}

test('an upload is sent in chunks and reports its progress', async () => {
  const { upload, states } = uploads();
  await eventually(() => upload.state.name === 'done');
  expect(stored.equals(data)).toBe(true);
  expect(requests.filter((method) => method === 'PATCH').length).toBeGreaterThan(2);
  expect(states.map(({ sent }) => sent)).toEqual(states.map(({ sent }) => sent).sort((a, b) => a - b));
  expect(states.map(({ name }) => name)).toContain('checking');
  expect(upload.state.file).toEqual({ id: 7, name: 'a', size: data.length, type: 'text/plain' });
});

test("an upload continues at the server's offset after a cut connection", async () => {
  let cuts = 3;
  failAt = () => (cuts-- > 0 ? 'cut' : null);
  const { upload } = uploads();
  await eventually(() => upload.state.name === 'done');
  expect(stored.equals(data)).toBe(true);
  expect(requests).toContain('HEAD');
});

test('an upload retries on a busy server, and stops on an error until it is retried', async () => {
  let times = 0;
  failAt = () => (++times === 1 ? 503 : times < 4 ? 413 : null);
  const { upload } = uploads();
  await eventually(() => upload.state.name === 'failed');
  expect(upload.state.problem?.status).toBe(413);
  times = 10;
  upload.retry();
  await eventually(() => upload.state.name === 'done');
  expect(stored.equals(data)).toBe(true);
});

test('an upload does not retry on a full disk', async () => {
  failAt = () => 507;
  const { upload } = uploads();
  await eventually(() => upload.state.name === 'failed');
  expect(requests.filter((method) => method === 'PATCH').length).toBe(1);
});

test('a canceled upload is canceled on the server too', async () => {
  failAt = () => 503;
  const { upload } = uploads();
  await eventually(() => requests.includes('PATCH'));
  upload.cancel();
  await eventually(() => requests.includes('DELETE'));
  expect(upload.state.name).toBe('cancelled');
});

test('at most two uploads run at once', async () => {
  const all = Array.from({ length: 5 }, () => uploads(Buffer.from('hello')).upload);
  expect(all.map((one) => one.state.name).filter((name) => name === 'sending').length).toBe(2);
  for (const one of all.slice(1)) one.cancel();
  await eventually(() => all[0]?.state.name === 'done');
});
