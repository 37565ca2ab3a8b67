/** How a user's own security events read. Pure. */
import type { ActivityRow } from '../../client/schema';

const NAMES: Record<string, string> = {
  'login.ok': 'Logged in',
  'login.failed': 'Failed log-in',
  'login.end': 'Logged out',
  'account.create': 'Account created',
  'account.password': 'Password changed',
  'account.export': 'Data exported',
  'account.disable': 'Account disabled',
  'account.enable': 'Account enabled',
  'account.role': 'Role changed',
  'reset.make': 'Reset link created',
  'reset.use': 'Password reset',
};

/** `mfa.added` → `Mfa added`, where nobody has named it. */
export function eventName(action: string): string {
  const words = action.replaceAll(/[._]/g, ' ');
  return NAMES[action] ?? words[0]?.toUpperCase() + words.slice(1);
}

/** Who did it, where it was not the user, and how often. */
export function byWhom(row: ActivityRow): string {
  const times = row.times > 1 ? `${row.times} times` : '';
  const who = row.own === false ? 'by an admin' : '';
  return [who, times].filter(Boolean).join(', ');
}
