/** Times and days in the reader's format. Pure: the current time is an argument. */
import { messages as m } from './messages';
import { dateFormat } from './messages/language';

const clock = dateFormat({ hour: 'numeric', minute: '2-digit' });
const precise = dateFormat({ hour: 'numeric', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 });
const full = dateFormat({ dateStyle: 'full', timeStyle: 'short' });
const calendar = dateFormat({ dateStyle: 'medium' });
const weekday = dateFormat({ weekday: 'long', month: 'long', day: 'numeric' });
const distant = dateFormat({
  weekday: 'long',
  year: 'numeric',
  month: 'long',
  day: 'numeric',
});

export const timeOf = (iso: string): string => clock(new Date(iso));
export const preciseOf = (iso: string): string => precise(new Date(iso));
export const momentOf = (iso: string): string => full(new Date(iso));
export const dateOf = (iso: string): string => calendar(new Date(iso));

/** Return the local day in a form that sorts and compares as text. */
export function dayOf(iso: string): string {
  const date = new Date(iso);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Return `Today`, `Yesterday`, or the date, with its year if that is not the current one. */
export function dayName(iso: string, now: Date): string {
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (dayOf(iso) === dayOf(now.toISOString())) return m.app.today;
  if (dayOf(iso) === dayOf(yesterday.toISOString())) return m.app.yesterday;
  const date = new Date(iso);
  return (date.getFullYear() === now.getFullYear() ? weekday : distant)(date);
}
