/** How a user's own security events read. Pure. */
import type { ActivityRow } from '../../client/schema';

/** Who did it, where it was not the user, and how often. */
export function byWhom(row: ActivityRow): string {
  const times = row.times > 1 ? `${row.times} times` : '';
  const who = row.own === false ? 'by an admin' : '';
  return [who, times].filter(Boolean).join(', ');
}
