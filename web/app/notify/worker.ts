/** The service worker of this browser, as pages use it: registered once, null where there is none. */
import { language } from '../messages/language';
import { route } from '../route.svelte';

/** Milliseconds after which a notification is shown without the worker. */
const PATIENCE = 1_000;

/** The registration, once it is active; null in development, in frames and in old browsers. */
let ready: Promise<ServiceWorkerRegistration | null> = Promise.resolve(null);

const isPossible = () => import.meta.env.PROD && 'serviceWorker' in navigator && isSecureContext && !route.embedded;

/** Register the worker, and follow the notifications that the user opens. */
export function startWorker(): void {
  if (!isPossible()) return;
  navigator.serviceWorker.addEventListener('message', ({ data }) => {
    if (data?.type === 'open' && typeof data.url === 'string') route.go(data.url);
  });
  const loaded = new Promise<void>((resolve) => {
    if (document.readyState === 'complete') resolve();
    else addEventListener('load', () => resolve(), { once: true });
  });
  ready = loaded.then(register); // the page needs the network first
}

/** The script. Its address tells it the language of notifications. */
const script = () => (language === 'en' ? '/sw.js' : `/sw.js?language=${language}`);

async function register(): Promise<ServiceWorkerRegistration | null> {
  const { serviceWorker } = navigator;
  const made: ServiceWorkerRegistration | undefined = await serviceWorker.register(script()).catch(() => undefined);
  return made ? serviceWorker.ready : null;
}

/** Return the registration. A log-out deletes it, as all that a browser stores for the app; then it is made again. */
export async function worker(): Promise<ServiceWorkerRegistration | null> {
  const known = await ready;
  if (known && !(await navigator.serviceWorker.getRegistration())) ready = register();
  return ready;
}

/** Return the registration, or null if the worker is not active within a second: its installation may have failed. */
export function workerNow(): Promise<ServiceWorkerRegistration | null> {
  return Promise.race([worker(), new Promise<null>((resolve) => setTimeout(resolve, PATIENCE, null))]);
}

/** Delete the copies of the user's data, and stop notifications: the session has ended. */
export async function forgetCopies(): Promise<void> {
  const registration = await workerNow();
  registration?.active?.postMessage('forget');
  await closeNotifications();
  await registration?.pushManager?.getSubscription().then((one) => one?.unsubscribe());
}

/** Close what is shown, because the user has come to the app. */
export async function closeNotifications(): Promise<void> {
  for (const one of (await (await workerNow())?.getNotifications()) ?? []) one.close();
}

/** Show the number of unread messages on the icon of the installed app. */
export function showBadge(count: number): void {
  if (!('setAppBadge' in navigator) || route.embedded) return;
  void (count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge()).catch(() => undefined);
}
