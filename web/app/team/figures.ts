/** The team's figures as columns and bars. Pure. */
import type { DayMessages, TeamMessages } from '../../client/schema';

/** Return the days as columns of a chart. A day in UTC is shown as the same date here, so it begins at midnight here. */
export function columnsOfDays(days: DayMessages[]): [number[], number[]] {
  return [days.map(({ day }) => startOf(day).getTime() / 1000), days.map(({ messages }) => messages)];
}

/** Return midnight, by the clock here, of a day such as `2026-11-30`. */
export function startOf(day: string): Date {
  const [year = 1970, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date);
}

/** Return the messages of all the days. */
export const sumOfDays = (days: DayMessages[]): number => days.reduce((sum, { messages }) => sum + messages, 0);

/** Return the day with most messages, the latest of several. */
export const busiestOf = (days: DayMessages[]): DayMessages | undefined =>
  days.reduce<DayMessages | undefined>((most, one) => (most && most.messages > one.messages ? most : one), undefined);

export interface Bar {
  key: string;
  name: string;
  /** The address of the channel, if it is named. */
  href: string | null;
  messages: number;
}

/** Return a row for each named channel, then the other public channels together, then all other conversations together. */
export function barsOf(found: TeamMessages, others: (count: number) => string, hidden: string): Bar[] {
  const { channels, other_channels: rest, private: closed } = found;
  const named = channels.map(({ id, name, messages }) => ({ key: `${id}`, name, href: `/c/${id}`, messages }));
  const together = [
    { key: 'public', name: others(rest.conversations), href: null, ...rest },
    { key: 'private', name: hidden, href: null, ...closed },
  ].filter(({ conversations }) => conversations);
  return [...named, ...together.map(({ key, name, href, messages }) => ({ key, name, href, messages }))];
}
