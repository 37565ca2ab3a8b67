import { describe, expect, it } from 'vitest';
import { columnsOf, endsOf, type Figures, figuresOf, growth, isOld, type NodeRecord, perSecond, type Sample, stateAt } from './figures';
import { bytes, span, stateNote, time } from './labels';

const node = (more: Partial<NodeRecord>): NodeRecord => ({
  name: 'a1', holder: 'a1~1', state: 'up', role: 'all', heard: 0, until: 12_000, people: 0, online: 0, away: 0, dnd: 0,
  streams: 0, sockets: 0, ...more,
});
const seen = (at: number, joins: number, nodes: NodeRecord[] = []): Figures => ({
  at, joins, people: 0, online: 0, away: 0, dnd: 0, streams: 0, sockets: 0, nodes: 1, leaves: 0, reaped: 0, ghosts: 0, node_list: nodes,
});
const sample = (minute: number, joins: number): Sample => ({
  minute: new Date(minute * 60_000).toISOString(), people: 1, peak: 1, online: 1, away: 0, dnd: 0, streams: 0, sockets: 0,
  nodes: 1, reaped: 0, ghosts: 0, joins, leaves: 0, position: 0,
});

describe('figures', () => {
  it('are absent while the registry is unavailable', () => {
    expect(figuresOf({})).toBeNull();
    expect(figuresOf(seen(1, 0))?.at).toBe(1);
  });

  it('are old when newer ones are due, although the socket looks open', () => {
    expect([isOld(seen(10_000, 0), 12_900), isOld(seen(10_000, 0), 13_100), isOld(undefined, 13_100)]).toEqual([false, true, false]);
  });

  it('call no node up whose lease has ended meanwhile', () => {
    const up = node({ heard: 9_000, until: 21_000 });
    expect(stateAt(up, 20_900, seen(10_000, 0))).toBe('up');
    expect(stateAt(up, 21_000, seen(10_000, 0))).toBe('unknown');
    expect(stateAt(node({ state: 'lost', until: 5_000 }), 10_500, seen(10_000, 0))).toBe('lost');
  });

  it('give a rate, and none after a counter was reset', () => {
    const joins = (one: Figures) => one.joins;
    expect(perSecond(seen(3_000, 12), seen(1_000, 2), joins)).toBe(5);
    expect(perSecond(seen(3_000, 0), seen(1_000, 2), joins)).toBeNull();
    expect(perSecond(seen(3_000, 0), undefined, joins)).toBeNull();
  });

  it('sum the reasons for which streams ended', () => {
    const nodes = [node({ ends: { drain: 1, slow: 2 } }), node({ ends: { drain: 4 } }), node({})];
    expect(endsOf(seen(0, 0, nodes))).toEqual([['drain', 5], ['slow', 2]]);
  });
});

describe('history', () => {
  it('turns counters into growth; a reset counts as none', () => {
    const grown = growth([sample(1, 5), sample(2, 8), sample(3, 1)], ['joins']);
    expect(grown.map((one) => one.joins)).toEqual([3, 0]);
  });

  it('breaks the lines at gaps between samples', () => {
    const [times, online] = columnsOf([1, 2, 3, 30, 31, 31.1].map((n) => sample(n, 0)), ['online']);
    expect(times).toEqual([60, 120, 180, 240, 1_800, 1_860, 1_866]);
    expect(online).toEqual([1, 1, 1, null, 1, 1, 1]);
  });
});

describe('labels', () => {
  it('have readable units', () => {
    expect([time(0.44), time(12.3), time(1_240), time(null)]).toEqual(['0.4 ms', '12 ms', '1.2 s', '–']);
    expect([span(45), span(720), span(12_000), span(104_400 * 4)]).toEqual(['45 s', '12 min', '3 h 20 min', '4 d 20 h']);
    expect([bytes(0), bytes(2048), bytes(150 * 1024 ** 2), bytes(3.5 * 1024 ** 3)]).toEqual(['0 B', '2 KB', '150 MB', '3.5 GB']);
  });

  it('count down to the end of a silent node', () => {
    expect(stateNote(node({ state: 'silent' }), 7_000)).toContain('dead in 5 s');
    expect(stateNote(node({}), 7_000)).toBe('');
  });
});
