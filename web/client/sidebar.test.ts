/** The sidebar: pure changes, and saving them while other devices change it too. */
import { expect, test } from 'vitest';
import { Actions } from './actions';
import type { Api } from './api';
import * as model from './model';
import { Problem } from './problem';
import { addSection, changeSection, defaultSidebar, moveSection, order, place, removeSection, sectionOf } from './sidebar';
import { makeUser } from './testing/fixtures';
import type { Sidebar } from './types';

const ids = (sidebar: Sidebar) => sidebar.sections.map((one) => one.id);

test('a conversation is in one section at most', () => {
  const own = addSection('w', 'Work')(defaultSidebar);
  expect(ids(own)).toEqual(['starred', 'w', 'channels', 'direct']);
  const starred = place(7, 'starred')(own);
  const moved = place(7, 'w')(starred);
  expect(sectionOf(starred, 7)?.id).toBe('starred');
  expect(moved.sections.map((one) => one.conversations)).toEqual([[], [7], [], []]);
  expect(sectionOf(place(7, null)(moved), 7)).toBeNull();
  expect(sectionOf(removeSection('w')(moved), 7)).toBeNull();
  expect(ids(removeSection('channels')(moved))).toEqual(ids(moved));
});

test('sections move, fold and get other names', () => {
  const own = addSection('w', 'Work')(defaultSidebar);
  expect(ids(moveSection('w', null)(own))).toEqual(['starred', 'channels', 'direct', 'w']);
  expect(ids(moveSection('direct', 'starred')(own))).toEqual(['direct', 'starred', 'w', 'channels']);
  expect(ids(moveSection('gone', 'starred')(own))).toEqual(ids(own));
  expect(changeSection('w', { name: 'Team', collapsed: true })(own).sections[1]).toMatchObject({ name: 'Team', collapsed: true });
  expect(addSection('w', 'Again')(own)).toBe(own);
});

/** A server with one sidebar, and the actions of a device. `during` runs before the next request is answered. */
function device() {
  let stored = defaultSidebar;
  let view = model.emptyModel(makeUser(1, 'ana'));
  const state = { during: () => {}, refuses: null as Problem | null };
  const api = {
    call: (method: string, _path: string, sidebar: Sidebar) => {
      if (method === 'GET') return Promise.resolve(stored);
      state.during();
      state.during = () => {};
      if (state.refuses) return Promise.reject(state.refuses);
      if (sidebar.version !== stored.version)
        return Promise.reject(new Problem({ status: 409, code: 'sidebar_changed', detail: '' }));
      stored = { ...sidebar, version: stored.version + 1 };
      return Promise.resolve(stored);
    },
  };
  const update = (change: Partial<model.Model>) => void (view = { ...view, ...change });
  const actions = new Actions({ api: api as unknown as Api, model: () => view, update });
  const elsewhere = (change: (old: Sidebar) => Sidebar) => (stored = { ...change(stored), version: stored.version + 1 });
  return { actions, state, elsewhere, stored: () => stored, shown: () => model.shownSidebar(view) };
}

test('a change shows at once, and changes are saved in order', async () => {
  const { actions, stored, shown } = device();
  const saved = [actions.rearrange(place(7, 'starred')), actions.rearrange(order({ order: 'recent' }))];
  expect(sectionOf(shown(), 7)?.id).toBe('starred');
  expect(shown().order).toBe('recent');
  await Promise.all(saved);
  expect(stored()).toEqual(shown());
  expect(stored().version).toBe(2);
});

test('a change is repeated on what another device has saved', async () => {
  const { actions, state, elsewhere, stored, shown } = device();
  state.during = () => elsewhere(place(8, 'starred'));
  await actions.rearrange(place(7, 'starred'));
  expect(stored().sections[0]?.conversations).toEqual([8, 7]);
  expect(shown()).toEqual(stored());
});

test('a change that is refused is shown no longer', async () => {
  const { actions, state, stored, shown } = device();
  state.refuses = new Problem({ status: 422, code: 'invalid', detail: 'Too long.' });
  await expect(actions.rearrange(place(7, 'starred'))).rejects.toThrow('Too long.');
  state.refuses = null;
  await actions.rearrange(place(8, 'starred'));
  expect(shown().sections[0]?.conversations).toEqual([8]);
  expect(stored()).toEqual(shown());
});
