/**
 * Deltas: records of people, merged by version. Pure. In whatever order snapshots and deltas arrive, and
 * however often, the outcome is the same, and equal to a fresh snapshot. The server's twin
 * (`presence/records.py`) passes the same `tests/presence/cases/delta.json`.
 */
import type { Id } from '../types';
import type { Choice, Mode, PresenceRecord, Status } from './protocol';

export type PresenceRecords = Map<Id, PresenceRecord>;

/** Takes into `people` what is newer than what it holds; returns what was. Merging again returns nothing. */
export function mergeRecords(people: PresenceRecords, records: PresenceRecord[]): PresenceRecord[] {
  return records.filter((record) => {
    const known = people.get(record.id);
    const newer = !known || known.version < record.version;
    if (newer) people.set(record.id, record);
    return newer;
  });
}

/** Nobody looks at these people any more, or they may no longer be seen. */
export function forgetRecords(people: PresenceRecords, ids: Iterable<Id>): void {
  for (const id of ids) people.delete(id);
}

/** A login somewhere. `gone`: when its linger ends, its last connection having closed; 0 while it is connected. */
export interface Device {
  session: number;
  active: boolean;
  gone: number;
}

export type VisibleStatus = Pick<PresenceRecord, 'status' | 'text' | 'emoji' | 'until' | 'devices'>;

/** The truth: dnd if set, else away if set, else online if any device is active, else away if any is here. */
export function mergeDevices(devices: Device[], choice: Choice, now: number): Status {
  const here = devices.filter((device) => isConnected(device, now));
  const mode = modeAt(choice, now);
  if (!here.length) return 'offline';
  if (mode === 'dnd') return 'dnd';
  return mode !== 'away' && here.some((device) => device.active) ? 'online' : 'away';
}

/** What others may see of it: an invisible person is like one who is not there and has set nothing. */
export function visibleStatus(devices: Device[], choice: Choice, now: number): VisibleStatus {
  if (modeAt(choice, now) === 'invisible')
    return { status: 'offline', text: '', emoji: '', until: null, devices: 0 };
  const here = new Set(devices.filter((device) => isConnected(device, now)).map((device) => device.session));
  const { text, emoji, until } = isInForce(choice, now) ? choice : { text: '', emoji: '', until: null };
  return { status: mergeDevices(devices, choice, now), text, emoji, until, devices: here.size };
}

/** Is it here, or was it a moment ago? A reload must not show anybody leaving. */
const isConnected = (device: Device, now: number): boolean => device.gone === 0 || device.gone > now;

const isInForce = (choice: Choice, now: number): boolean => !choice.until || Date.parse(choice.until) > now;
const modeAt = (choice: Choice, now: number): Mode => (isInForce(choice, now) ? choice.mode : 'online');
