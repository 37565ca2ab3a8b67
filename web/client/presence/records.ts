/**
 * Presence records merged by version, and the status that follows from a user's devices and choice. Pure; times are
 * milliseconds.
 *
 * Snapshots and changes give the same result in any order and however often they arrive: that of a fresh snapshot.
 * The server's `presence/records.py` passes the same cases: `tests/presence/cases/delta.json` and `status.json`.
 */
import type { Id } from '../types';
import type { Choice, Mode, PresenceRecord, Status } from './protocol';

export type PresenceRecords = Map<Id, PresenceRecord>;

/** Add the records that are newer than the known ones, and return those. Merging them again returns nothing. */
export function mergeRecords(people: PresenceRecords, records: PresenceRecord[]): PresenceRecord[] {
  return records.filter((record) => {
    const known = people.get(record.id);
    const newer = !known || known.version < record.version;
    if (newer) people.set(record.id, record);
    return newer;
  });
}

/** Remove users who are no longer watched or may no longer be seen. */
export function forgetRecords(people: PresenceRecords, ids: Iterable<Id>): void {
  for (const id of ids) people.delete(id);
}

/** A session. `gone` is 0 while it is connected, otherwise when its linger ends: its last connection has closed. */
export interface Device {
  session: number;
  active: boolean;
  gone: number;
}

export type VisibleStatus = Pick<PresenceRecord, 'status' | 'text' | 'emoji' | 'until' | 'devices'>;

/**
 * Return the actual status: dnd if set, else away if set, else online if a device is active, else away if one is
 * connected.
 */
export function mergeDevices(devices: Device[], choice: Choice, now: number): Status {
  const here = devices.filter((device) => isConnected(device, now));
  const mode = modeAt(choice, now);
  if (!here.length) return 'offline';
  if (mode === 'dnd') return 'dnd';
  return mode !== 'away' && here.some((device) => device.active) ? 'online' : 'away';
}

/** Return what others may see. An invisible user looks like one who is offline and has set no status. */
export function visibleStatus(devices: Device[], choice: Choice, now: number): VisibleStatus {
  if (modeAt(choice, now) === 'invisible')
    return { status: 'offline', text: '', emoji: '', until: null, devices: 0 };
  const here = new Set(devices.filter((device) => isConnected(device, now)).map((device) => device.session));
  const { text, emoji, until } = isInForce(choice, now) ? choice : { text: '', emoji: '', until: null };
  return { status: mergeDevices(devices, choice, now), text, emoji, until, devices: here.size };
}

/** Return true if the device is connected, or was a moment ago. A reload must not show the user as leaving. */
const isConnected = (device: Device, now: number): boolean => device.gone === 0 || device.gone > now;

const isInForce = (choice: Choice, now: number): boolean => !choice.until || Date.parse(choice.until) > now;
const modeAt = (choice: Choice, now: number): Mode => (isInForce(choice, now) ? choice.mode : 'online');
