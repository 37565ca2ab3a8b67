/** Notifications that reach this browser while the app is closed. Its push service keeps them while it is offline. */
import type { Api } from '../../client';
import type { PushKey, SubscriptionForm } from '../../client/schema';
import { keep, kept } from '../local-storage';
import { inUtc, type Quiet } from './quiet-hours';
import { worker } from './worker';

const KEY = '/api/push/key';
const SUBSCRIPTIONS = '/api/push/subscriptions';
const DECLINED = 'tandem.push.off';
const QUIET = 'tandem.push.quiet';

/** `impossible`: this browser cannot; `failed`: its push service could not be reached. */
export type PushState = 'checking' | 'impossible' | 'off' | 'on' | 'failed';

export class Push {
  state = $state<PushState>('checking');
  quiet = $state.raw<Quiet | null>(keptQuiet());

  constructor(private readonly api: Api) {}

  /** Subscribe again where notifications are allowed: the session may be new, or the server may have forgotten it. */
  async start(): Promise<void> {
    const manager = await pushManager();
    if (!manager) return void (this.state = 'impossible');
    if (Notification.permission !== 'granted' || kept('device', DECLINED)) return void (this.state = 'off');
    await this.turnOn();
  }

  /** Subscribe this browser. Notifications must be allowed. */
  async turnOn(): Promise<void> {
    const manager = await pushManager();
    if (!manager) return void (this.state = 'impossible');
    keep('device', DECLINED, '');
    try {
      const { endpoint = '', keys } = await subscribe(manager, (await this.api.call<PushKey>('GET', KEY)).key);
      const { p256dh = '', auth = '' } = keys ?? {};
      const form: SubscriptionForm = { endpoint, keys: { p256dh, auth }, quiet: inUtc(this.quiet) };
      await this.api.call('POST', SUBSCRIPTIONS, form);
      this.state = 'on';
    } catch {
      this.state = 'failed';
    }
  }

  async turnOff(): Promise<void> {
    keep('device', DECLINED, 'yes');
    await this.api.call('DELETE', SUBSCRIPTIONS);
    await (await pushManager())?.getSubscription().then((one) => one?.unsubscribe());
    this.state = 'off';
  }

  /** Set the hours without notifications on this device; null for none. */
  async setQuiet(quiet: Quiet | null): Promise<void> {
    this.quiet = quiet;
    keep('device', QUIET, quiet ? JSON.stringify(quiet) : '');
    if (this.state === 'on') await this.turnOn();
  }
}

async function pushManager(): Promise<PushManager | null> {
  return 'Notification' in globalThis ? ((await worker())?.pushManager ?? null) : null;
}

/** Return this browser's subscription with the server's key. One with another key is replaced. */
async function subscribe(manager: PushManager, key: string): Promise<PushSubscriptionJSON> {
  const applicationServerKey = fromBase64(key);
  const old = await manager.getSubscription();
  const same = old && isSame(new Uint8Array(old.options.applicationServerKey ?? new ArrayBuffer(0)), applicationServerKey);
  if (old && !same) await old.unsubscribe();
  return (same ? old : await manager.subscribe({ userVisibleOnly: true, applicationServerKey })).toJSON();
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
}

function keptQuiet(): Quiet | null {
  try {
    const { from, to } = JSON.parse(kept('device', QUIET) ?? 'null') as Quiet;
    return /^\d\d:\d\d$/.test(from) && /^\d\d:\d\d$/.test(to) ? { from, to } : null;
  } catch {
    return null;
  }
}
