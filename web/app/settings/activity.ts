/** The wording of a user's own security activity. Pure. */
import type { ActivityRow } from '../../client/schema';
import { messages as m } from '../messages';

/** Return who did it, if it was not the user, and how often it happened. */
export function byWhom(row: ActivityRow): string {
  const times = row.times > 1 ? m.settings.activity.times(row.times) : '';
  const author = row.own === false ? m.settings.activity.byAdmin : '';
  return [author, times].filter(Boolean).join(m.app.comma);
}
