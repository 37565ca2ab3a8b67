/** A user's presence in words. Pure: the current time is an argument, in milliseconds. */
import { limitMarks } from '../appearance';
import type { Own, PresenceRecord } from '../../client';
import { messages as m } from '../messages';
import { dateFormat } from '../messages/language';

export type Seen = Own['status'] | 'unknown';
export type Look = Pick<PresenceRecord, 'text' | 'emoji' | 'until' | 'last_active_at' | 'devices'> & {
  status: Seen;
};

export const statusName = (status: Seen): string => m.presence.statuses[status];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const day = dateFormat({ day: 'numeric', month: 'short', year: 'numeric' });

export function ago(iso: string, now: number): string {
  const passed = now - Date.parse(iso);
  if (passed < MINUTE) return m.presence.justNow;
  if (passed < HOUR) return m.presence.minutesAgo(Math.floor(passed / MINUTE));
  if (passed < DAY) return m.presence.hoursAgo(Math.floor(passed / HOUR));
  if (passed < 2 * DAY) return m.presence.yesterday;
  return passed < 7 * DAY ? m.presence.daysAgo(Math.floor(passed / DAY)) : m.presence.onDay(day(new Date(iso)));
}

/** Return the status, and the last activity if the user is away or offline: `Away, active 5 min ago`. */
export function describe(look: Look, now: number): string {
  const name = statusName(look.status);
  const gone = look.status === 'away' || look.status === 'offline';
  return gone && look.last_active_at ? m.presence.lastActive(name, ago(look.last_active_at, now)) : name;
}

/** Return the status message, or an empty string once it has expired. */
export function messageOf(look: Look, now: number): string {
  const over = look.until !== null && Date.parse(look.until) <= now;
  return over ? '' : limitMarks([look.emoji, look.text].filter(Boolean).join(' '), 'name');
}

/** Return the user's own status for the line of their account: the message, and what others see unless that is online. */
export function accountLine(look: Look, now: number): string {
  const message = messageOf(look, now);
  const name = statusName(look.status);
  return message && look.status !== 'online' ? `${name} · ${message}` : message || name;
}

/** Return a sentence that names the users who are typing. */
export function typingWords(names: string[]): string {
  const [first, second] = names;
  if (first === undefined) return '';
  if (second === undefined) return m.presence.typing.one(first);
  return names.length === 2 ? m.presence.typing.two(first, second) : m.presence.typing.more(first, second, names.length - 2);
}

/** Return true if a session's name is that of a phone or tablet. */
export function isPhone(device: string): boolean {
  return /android|iphone|ipad|phone|mobile/i.test(device);
}

