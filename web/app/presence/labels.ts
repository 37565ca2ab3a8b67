/** What is said of a person's presence. Pure: the present is an argument, in milliseconds. */
import type { Own, PresenceRecord } from '../../client';

export type Seen = Own['status'] | 'unknown';
export type Look = Pick<PresenceRecord, 'text' | 'emoji' | 'until' | 'last_active_at' | 'devices'> & {
  status: Seen;
};

export const statusNames: Record<Seen, string> = {
  online: 'Online',
  away: 'Away',
  dnd: 'Do not disturb',
  offline: 'Offline',
  invisible: 'Invisible',
  unknown: 'Not known right now',
};

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });

export function ago(iso: string, now: number): string {
  const passed = now - Date.parse(iso);
  if (passed < MINUTE) return 'just now';
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min ago`;
  if (passed < DAY) return `${Math.floor(passed / HOUR)} h ago`;
  if (passed < 2 * DAY) return 'yesterday';
  return passed < 7 * DAY ? `${Math.floor(passed / DAY)} days ago` : `on ${day.format(new Date(iso))}`;
}

/** `Away, active 5 min ago`: the status, and for one who is not here, since when. */
export function describe(look: Look, now: number): string {
  const name = statusNames[look.status];
  const gone = look.status === 'away' || look.status === 'offline';
  return gone && look.last_active_at ? `${name}, active ${ago(look.last_active_at, now)}` : name;
}

/** What the person says of themselves, while it holds. */
export function messageOf(look: Look, now: number): string {
  const over = look.until !== null && Date.parse(look.until) <= now;
  return over ? '' : [look.emoji, look.text].filter(Boolean).join(' ');
}

/** Who types, by name. */
export function typingWords(names: string[]): string {
  const [first, second] = names;
  if (first === undefined) return '';
  if (second === undefined) return `${first} is typing…`;
  if (names.length === 2) return `${first} and ${second} are typing…`;
  return names.length === 3
    ? `${first}, ${second} and one other are typing…`
    : `${first}, ${second} and ${names.length - 2} others are typing…`;
}

/** Whether a login's name speaks of something held in the hand. */
export function isPhone(device: string): boolean {
  return /android|iphone|ipad|phone|mobile/i.test(device);
}

/** What a login has open, on all nodes. */
export function connectionsOf(streams: number, sockets: number): string {
  if (!streams && !sockets) return 'Nothing open';
  const count = (n: number, one: string) => `${n} ${one}${n === 1 ? '' : 's'}`;
  return `${count(streams, 'message stream')}, ${count(sockets, 'presence socket')}`;
}
