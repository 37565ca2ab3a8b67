/** The periods for which a conversation can be muted. Pure: the current time is an argument. */
import { messages as m } from '../messages';
import { momentOf } from '../time';

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;

export const mutes = (): { label: string; until: (now: Date) => string }[] => [
  { label: m.notify.mutes.hour, until: (now) => new Date(now.getTime() + HOUR).toISOString() },
  { label: m.notify.mutes.tomorrow, until: (now) => morning(now, 1) },
  { label: m.notify.mutes.week, until: (now) => morning(now, 7) },
  { label: m.notify.mutes.forever, until: (now) => morning(now, 36_500) },
];

/** Return a sentence with the end of a mute. A mute without an end is stored as a date a hundred years away. */
export function mutedUntil(end: string, now: number): string {
  return Date.parse(end) - now > YEAR ? m.notify.muted : m.notify.mutedUntil(momentOf(end));
}

/** Return eight in the morning, local time, that many days after `now`. */
function morning(now: Date, days: number): string {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 8).toISOString();
}
