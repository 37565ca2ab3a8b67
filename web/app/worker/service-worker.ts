/**
 * The service worker: the app without a network, and notifications while it is closed.
 *
 * The page and its files come from the network first, so that a new version is used at once. Data comes from its copy
 * only if the network fails, with the header `Tandem-Copy`; the app then loads it again once it is connected. Copies
 * belong to one user. They are deleted when the session ends and when another user logs in.
 */
import { keyOf, kindOf, surplus } from './copies';
import { notificationOf } from './notification';
import type { Worker, WorkerClient } from './types';

declare const SHELL_FILES: string[];
declare const SHELL_VERSION: string;
declare const self: Worker;

const SHELL = `tandem shell ${SHELL_VERSION}`;
const DATA = 'tandem data';
const ME = '/api/users/me';
/** Milliseconds that the page may take to come from the network, before its copy is used. */
const PATIENCE = 4_000;
/** Increases whenever the copies of data are deleted: an answer from before is not kept. */
let generation = 0;

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (new URL(request.url).origin !== self.location.origin) return;
  const kind = kindOf(request);
  if (kind === 'page') event.respondWith(page(request));
  else if (kind === 'file') event.respondWith(file(request));
  else if (kind === 'data' || kind === 'users') event.respondWith(data(request, kind === 'users'));
  else if (kind === 'session') event.respondWith(session(request));
});
self.addEventListener('push', (event) => event.waitUntil(show(event.data)));
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open(String(event.notification.data ?? '/')));
});
self.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(subscribeAgain(event.oldSubscription)));
self.addEventListener('message', (event) => {
  if (event.data === 'forget') event.waitUntil(forget());
});

async function install(): Promise<void> {
  const cache = await caches.open(SHELL);
  await cache.addAll(['/', ...SHELL_FILES]);
  await self.skipWaiting();
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== SHELL && name !== DATA).map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** Answer with the page of the app: every address of the app has the same. */
async function page(request: Request): Promise<Response> {
  const copy = await caches.match('/', { cacheName: SHELL });
  if (!copy) return fetch(request);
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(copy), PATIENCE));
  const answer = fetch(request).then((found) => (found.status >= 500 ? copy : found), () => copy);
  return Promise.race([answer, late]);
}

/** Answer with a file whose content never changes. */
async function file(request: Request): Promise<Response> {
  const copy = await caches.match(request, { cacheName: SHELL });
  if (copy) return copy;
  const answer = await fetch(request);
  if (answer.ok && answer.type === 'basic') await (await caches.open(SHELL)).put(request, answer.clone());
  return answer;
}

/** Answer with data from the server, or with its copy if the server cannot be reached. */
async function data(request: Request, users: boolean): Promise<Response> {
  const before = generation;
  const answer = await fetch(request).catch(() => null);
  if (answer === null) return (users ? await copiesOfUsers(request.url) : await copyOf(keyOf(request.url))) ?? Response.error();
  if (answer.status === 401) await forget();
  if (!answer.ok) return answer;
  const copy = answer.clone();
  const kept = users ? keepUsers(copy, before) : keepAnswer(keyOf(request.url), copy, before);
  await kept.catch(() => undefined); // storage is full or forbidden
  return answer;
}

async function copyOf(key: string): Promise<Response | null> {
  const copy = await caches.match(key, { cacheName: DATA });
  return copy ? marked(await copy.blob(), copy.headers.get('Content-Type')) : null;
}

function marked(body: BodyInit, type: string | null): Response {
  return new Response(body, { headers: { 'Content-Type': type ?? 'application/json', 'Tandem-Copy': '1' } });
}

async function copiesOfUsers(url: string): Promise<Response | null> {
  const ids = (new URL(url).searchParams.get('ids') ?? '').split(',');
  const found = await Promise.all(ids.map((id) => caches.match(`/api/users/${id}`, { cacheName: DATA })));
  const users = await Promise.all(found.filter((one) => one !== undefined).map((one) => one.json()));
  return users.length ? marked(JSON.stringify({ users }), null) : null;
}

async function keepAnswer(key: string, answer: Response, before: number): Promise<void> {
  if (new URL(key).pathname === ME) await noteUser(await answer.clone().json());
  else if (before !== generation) return;
  const cache = await caches.open(DATA);
  await cache.delete(key); // so that the one kept last is the last one
  await cache.put(key, answer);
  const keys = (await cache.keys()).map((one) => one.url);
  await Promise.all(surplus(keys).map((one) => cache.delete(one)));
}

async function keepUsers(answer: Response, before: number): Promise<void> {
  const { users } = (await answer.json()) as { users: { id: number }[] };
  if (before !== generation) return;
  const cache = await caches.open(DATA);
  await Promise.all(users.map((one) => cache.put(`/api/users/${one.id}`, new Response(JSON.stringify(one)))));
}

/** Delete the copies of another user. */
async function noteUser(me: { id: number }): Promise<void> {
  const known = await (await copyOf(new URL(ME, self.location.origin).href))?.json();
  if (known && known.id !== me.id) await forget();
}

/** Pass on a change of sessions. The next user of this browser must find no copies. */
async function session(request: Request): Promise<Response> {
  await forget();
  const answer = await fetch(request);
  await forget();
  return answer;
}

async function forget(): Promise<void> {
  generation += 1;
  await caches.delete(DATA);
}

async function show(pushed: { json(): unknown } | null): Promise<void> {
  const language = new URL(self.location.href).searchParams.get('language');
  const shown = notificationOf(pushed?.json(), language);
  if (!shown) return;
  const { title, body, tag, url } = shown;
  await self.registration.showNotification(title, { body, tag, data: url, icon: '/icon-192.png', badge: '/badge-96.png' });
  const open = await self.registration.getNotifications();
  await self.navigator.setAppBadge?.(open.length).catch(() => undefined);
}

/** Show an address in a window of the app, or in a new one. */
async function open(url: string): Promise<void> {
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const app = windows.filter((one) => !new URL(one.url).pathname.startsWith('/embed/'));
  const client: WorkerClient | undefined = app.find((one) => one.focused) ?? app[0];
  if (!client) return void (await self.clients.openWindow(url));
  client.postMessage({ type: 'open', url });
  await client.focus().catch(() => undefined); // the browser allows it only after a click
}

async function subscribeAgain(old: PushSubscription | null): Promise<void> {
  const applicationServerKey = old?.options.applicationServerKey;
  if (!applicationServerKey) return;
  const made = await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
  const headers = { 'Content-Type': 'application/json' };
  await fetch('/api/push/subscriptions', { method: 'POST', headers, body: JSON.stringify(made) });
}
