/** The times at which a message menu offers to remind the user, and the composer to send later. Pure: the current time is an argument. */
import { dayOf } from '../time';

export type RemindTime = 'soon' | 'hour' | 'later' | 'tomorrow' | 'week';

const MINUTE = 60_000;
const MORNING = 9;

/** Return the choices. Days are those of the user: tomorrow and Monday at nine. */
export function times(now: Date): { name: RemindTime; at: Date }[] {
  const after = (minutes: number) => new Date(now.getTime() + minutes * MINUTE);
  const morning = (days: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, MORNING);
  const toMonday = 8 - (now.getDay() || 7);
  return [
    { name: 'soon', at: after(20) },
    { name: 'hour', at: after(60) },
    { name: 'later', at: after(180) },
    { name: 'tomorrow', at: morning(1) },
    // on a Sunday, Monday is tomorrow
    { name: 'week', at: morning(toMonday === 1 ? 8 : toMonday) },
  ];
}

/** Return the times at which a message can be sent later. On a Sunday, Monday is tomorrow and is not offered twice. */
export function sendTimes(now: Date): { name: 'soon' | 'tomorrow' | 'monday'; at: Date }[] {
  const [tomorrow, monday] = [1, 8 - (now.getDay() || 7)].map((days) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, MORNING)) as [Date, Date];
  const soon = { name: 'soon' as const, at: new Date(now.getTime() + 20 * MINUTE) };
  const first = { name: 'tomorrow' as const, at: tomorrow };
  return monday.getTime() === tomorrow.getTime() ? [soon, first] : [soon, first, { name: 'monday', at: monday }];
}

/** Return a time as the value of a field for date and time, in the user's time zone. */
export function localInput(at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${dayOf(at.toISOString())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}
