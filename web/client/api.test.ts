/** HTTP calls against a real server: the request that is sent, and the problem that an error becomes. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Api } from './api';
import { asProblem, Problem } from './problem';

let server: Server;
let api: Api;
let asked: {
  method: string | undefined;
  url: string | undefined;
  body: string;
  authorization: string | undefined;
  user: string | string[] | undefined;
};
let answer: { status: number; headers?: Record<string, string>; body: string };

beforeEach(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const { authorization, 'tandem-user': user } = request.headers;
    asked = { method: request.method, url: request.url, body, authorization, user };
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api = new Api({
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: 't0ken',
    timeout: 500,
  });
});

afterEach(() => server.close());

const problem = (call: Promise<unknown>) => call.then(() => null, asProblem);

test('a post carries its client_id and the token', async () => {
  answer = { status: 201, body: '{"message":{"seq":7}}' };
  expect(await api.post(12, 'hello', 'c1')).toEqual({ seq: 7 });
  expect(asked).toEqual({
    method: 'POST',
    url: '/api/chat/conversations/12/messages',
    authorization: 'Bearer t0ken',
    body: '{"body":"hello","client_id":"c1"}',
    user: undefined,
  });
});

test('a page is requested by key', async () => {
  answer = { status: 200, body: '{"messages":[],"has_before":false,"has_after":false}' };
  await api.messages(12, { before: 40 });
  expect(asked.url).toBe('/api/chat/conversations/12/messages?before=40&limit=50');
});

test('an answer without content becomes undefined', async () => {
  answer = { status: 204, body: '' };
  expect(await api.markRead(1, 2)).toBeUndefined();
});

test('a validation error has a text for each field', async () => {
  const errors = [
    { field: 'name', detail: 'This name is taken.' },
    { field: 'password', detail: 'Too short.' },
  ];
  answer = {
    status: 422,
    body: JSON.stringify({ status: 422, code: 'invalid', detail: 'Some fields are wrong.', errors }),
  };
  const refused = await problem(api.signUp({ name: 'ana', password: 'x' }));
  expect(refused).toMatchObject({
    status: 422,
    code: 'invalid',
    detail: 'Some fields are wrong.',
    temporary: false,
  });
  expect(refused?.errors).toEqual({ name: 'This name is taken.', password: 'Too short.' });
});

test('a rate limit error says how long to wait', async () => {
  answer = { status: 429, headers: { 'Retry-After': '7' }, body: '{"code":"too_fast"}' };
  expect(await problem(api.me())).toMatchObject({ retryAfter: 7, temporary: true, code: 'too_fast' });
});

test("a proxy's answer without a document becomes a problem too", async () => {
  answer = { status: 502, body: '<html>' };
  expect(await problem(api.me())).toMatchObject({ status: 502, code: 'http_502', temporary: true });
});

test('a missing server is unreachable', async () => {
  server.close();
  expect(await problem(new Api({ base: 'http://127.0.0.1:1' }).me())).toMatchObject({
    status: 0,
    code: 'unreachable',
    temporary: true,
  });
});

test('any other error is converted to a problem', () => {
  expect(asProblem(new TypeError('odd'))).toBeInstanceOf(Problem);
});

test('acts for a user of another system', async () => {
  answer = { status: 200, body: '{}' };
  const acting = new Api({ base: api.base, token: 'tk_1', user: 'ext:u/1 ü' });
  await acting.call('GET', '/api/users/me');
  expect([asked.authorization, asked.user]).toEqual(['Bearer tk_1', 'ext:u%2F1%20%C3%BC']);
});

test('a call that a change of the password refuses is sent once more with the new token', async () => {
  let open = () => undefined as void;
  const refused = new Promise<void>((resolve) => (open = resolve));
  server.removeAllListeners('request').on('request', async (request, response) => {
    const [changes, known] = [request.method === 'PUT', request.headers.authorization === 'Bearer renewed'];
    if (!changes) open();
    else await refused;
    response.writeHead(changes || known ? 200 : 401).end(changes ? '{"token":"renewed"}' : '{"id":7}');
  });
  const [, me] = await Promise.all([api.changePassword('old', 'new'), api.me()]);
  expect(me).toEqual({ id: 7 });
  api.token = 'ended';
  expect((await problem(api.me()))?.status).toBe(401);
});

test('a wrong password is refused at once, like what was sent beside it', async () => {
  answer = { status: 401, body: '{"code":"unauthenticated"}' };
  const problems = await Promise.all([problem(api.changePassword('wrong', 'new')), problem(api.me())]);
  expect(problems.map((one) => one?.status)).toEqual([401, 401]);
});
