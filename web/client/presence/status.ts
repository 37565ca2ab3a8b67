/**
 * Status: what a person's devices and choice come to, for others and for the person. Pure; moments are
 * milliseconds. The server's twin (`presence/records.py`) passes the same `tests/presence/cases/status.json`.
 */
import type { Choice, Mode, PresenceRecord, Status } from './protocol';

/** A login somewhere. `gone`: when its linger ends, its last connection having closed; 0 while it is connected. */
export interface Device {
  session: number;
  active: boolean;
  gone: number;
}

export type Shown = Pick<PresenceRecord, 'status' | 'text' | 'emoji' | 'until' | 'devices'>;

/** The truth: dnd if set, else away if set, else online if any device is active, else away if any is here. */
export function mergeDevices(devices: Device[], choice: Choice, now: number): Status {
  const here = devices.filter((device) => counts(device, now));
  const mode = modeAt(choice, now);
  if (!here.length) return 'offline';
  if (mode === 'dnd') return 'dnd';
  return mode !== 'away' && here.some((device) => device.active) ? 'online' : 'away';
}

/** What others may see of it: an invisible person is like one who is not there and has set nothing. */
export function show(devices: Device[], choice: Choice, now: number): Shown {
  if (modeAt(choice, now) === 'invisible')
    return { status: 'offline', text: '', emoji: '', until: null, devices: 0 };
  const here = new Set(devices.filter((device) => counts(device, now)).map((device) => device.session));
  const { text, emoji, until } = holds(choice, now) ? choice : { text: '', emoji: '', until: null };
  return { status: mergeDevices(devices, choice, now), text, emoji, until, devices: here.size };
}

/** Is it here, or was it a moment ago? A reload must not show anybody leaving. */
const counts = (device: Device, now: number): boolean => device.gone === 0 || device.gone > now;

const holds = (choice: Choice, now: number): boolean => !choice.until || Date.parse(choice.until) > now;
const modeAt = (choice: Choice, now: number): Mode => (holds(choice, now) ? choice.mode : 'online');
