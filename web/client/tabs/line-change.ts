/** The view of who is here, as it travels from tab to tab: only what has changed. Pure. */
import type { PresenceView } from '../presence/line';
import type { LineChange } from './messages';

/** What makes the one view the other. */
export function changeOf(before: PresenceView, after: PresenceView): LineChange {
  const { people: _, ...rest } = after;
  const fields = Object.entries(rest).filter(([name, value]) => before[name as keyof PresenceView] !== value);
  const people = [...after.people.values()].filter((one) => before.people.get(one.id) !== one);
  const gone = [...before.people.keys()].filter((id) => !after.people.has(id));
  return {
    ...(Object.fromEntries(fields) as LineChange),
    ...(people.length && { people }),
    ...(gone.length && { gone }),
  };
}

/** The view after a change. */
export function changed(view: PresenceView, { people, gone, ...rest }: LineChange): PresenceView {
  if (!people && !gone) return { ...view, ...rest };
  const all = new Map(view.people);
  for (const id of gone ?? []) all.delete(id);
  for (const one of people ?? []) all.set(one.id, one);
  return { ...view, ...rest, people: all };
}
