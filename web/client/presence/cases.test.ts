/** Status and record merging give the same results as on the server, with the same cases. */
import { expect, test } from 'vitest';
import deltas from '../../../tests/presence/cases/delta.json';
import statuses from '../../../tests/presence/cases/status.json';
import { randomFrom } from '../testing/seeded-random';
import type { Choice, Mode, PresenceRecord, Status } from './protocol';
import { forgetRecords, mergeRecords, mergeDevices, type PresenceRecords, visibleStatus } from './records';

const record = (id: number, status: Status, version: number): PresenceRecord => ({
  ...{ id, status, version },
  ...{ text: '', emoji: '', until: null, last_active_at: null, devices: 0 },
});

interface Step {
  records?: [number, Status, number][];
  news?: number[];
  forget?: number[];
}

test.each(deltas)('records: $name', ({ steps, view }) => {
  const people: PresenceRecords = new Map();
  for (const step of steps as Step[]) {
    const news = mergeRecords(people, (step.records ?? []).map((fields) => record(...fields)));
    expect(news.map((one) => one.id)).toEqual(step.news ?? []);
    forgetRecords(people, step.forget ?? []);
  }
  const outcome = [...people].map(([id, one]) => [id, [one.status, one.version]]);
  expect(Object.fromEntries(outcome)).toEqual(view);
});

test.each(statuses)('status: $name', ({ devices, mode, now, status, shown, count, ...more }) => {
  const ended = 'until' in more ? new Date(more.until as number).toISOString() : null;
  const choice: Choice = { mode: mode as Mode, text: '', emoji: '', until: ended };
  const here = (devices as [number, boolean, number][]).map(([session, active, gone]) => ({
    ...{ session, active, gone },
  }));
  expect(mergeDevices(here, choice, now)).toBe(status);
  expect(visibleStatus(here, choice, now)).toMatchObject({ status: shown, devices: count });
});

test('an expired status is not shown, nor its text and emoji', () => {
  const choice: Choice = { mode: 'dnd', text: 'focus', emoji: '🎧', until: new Date(100).toISOString() };
  const device = { session: 1, active: true, gone: 0 };
  expect(visibleStatus([device], choice, 99)).toMatchObject({ status: 'dnd', text: 'focus', emoji: '🎧' });
  expect(visibleStatus([device], choice, 100)).toMatchObject({ status: 'online', text: '', emoji: '', until: null });
});

test('a snapshot and changes, in any order and repeated, equal a fresh snapshot', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = randomFrom(seed);
    const statuses: Status[] = ['online', 'away', 'dnd', 'offline'];
    const history = Array.from({ length: 12 }, (_, version) =>
      record(1 + Math.floor(random() * 3), statuses[Math.floor(random() * 4)] as Status, version + 1),
    );
    const fresh: PresenceRecords = new Map(history.map((one) => [one.id, one]));
    const at = Math.floor(random() * 13);
    const snapshot = [...new Map(history.slice(0, at).map((one) => [one.id, one])).values()];
    const arrivals = [snapshot, ...[...history.slice(at), ...history].map((one) => [one])];
    arrivals.sort(() => random() - 0.5);
    const people: PresenceRecords = new Map();
    for (const arrival of arrivals) mergeRecords(people, arrival);
    expect(Object.fromEntries(people), `seed ${seed}`).toEqual(Object.fromEntries(fresh));
  }
});
