/** The periods for which a conversation can be muted. Pure: the current time is an argument. */
import { messages } from '../messages';
import { momentOf } from '../time';

const m = messages.notify;
const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;

export const mutes: { label: string; until: (now: Date) => string }[] = [
  { label: m.mutes.hour, until: (now) => new Date(now.getTime() + HOUR).toISOString() },
  { label: m.mutes.tomorrow, until: (now) => morning(now, 1) },
  { label: m.mutes.week, until: (now) => morning(now, 7) },
  { label: m.mutes.forever, until: (now) => morning(now, 36_500) },
];

/** Return a sentence with the end of a mute. A mute without an end is stored as a date a hundred years away. */
export function mutedUntil(end: string, now: number): string {
  return Date.parse(end) - now > YEAR ? m.muted : m.mutedUntil(momentOf(end));
}

/** Return eight in the morning, local time, that many days after `now`. */
function morning(now: Date, days: number): string {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 8).toISOString();
}
