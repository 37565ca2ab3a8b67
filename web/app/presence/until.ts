/** How long a status may hold. Pure: the present is an argument. */

export const untils = {
  open: 'Until I change it',
  half: '30 minutes',
  hour: '1 hour',
  four: '4 hours',
  today: 'Today',
  week: 'This week',
} as const;

export type Until = keyof typeof untils;

const minutes: Partial<Record<Until, number>> = { half: 30, hour: 60, four: 240 };

/** The moment, RFC 3339; null for one that stays. Today ends at midnight here, this week in the night to Monday. */
export function momentOf(until: Until, now: Date): string | null {
  if (until === 'open') return null;
  const span = minutes[until];
  if (span !== undefined) return new Date(now.getTime() + span * 60_000).toISOString();
  const days = until === 'today' ? 1 : 8 - (now.getDay() || 7);
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days).toISOString();
}
