/** The end of a status. Pure: the current time is an argument. */
import type { Messages } from '../messages';

export type Until = keyof Messages['presence']['clearAfter'];

const minutes: Partial<Record<Until, number>> = { half: 30, hour: 60, four: 240 };

/** Return the end (RFC 3339), or null for a status that stays. Days end at midnight, weeks at midnight before Monday, local time. */
export function endOf(until: Until, now: Date): string | null {
  if (until === 'open') return null;
  const span = minutes[until];
  if (span !== undefined) return new Date(now.getTime() + span * 60_000).toISOString();
  const days = until === 'today' ? 1 : 8 - (now.getDay() || 7);
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days).toISOString();
}
