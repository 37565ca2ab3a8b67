/** The dashboard's figures as the server sends them, and values computed from them. Pure. */
import type { NodeRecord, Sample, Stats } from '../../client/schema';

export type { NodeRecord, Sample } from '../../client/schema';
export type NodeState = NodeRecord['state'] | 'unknown';
export type Figures = Omit<Stats, 'history'>;

/** Return the figures of a message from the socket; null while the server cannot reach the registry. */
export function figuresOf(told: { at?: unknown }): Figures | null {
  return typeof told.at === 'number' ? (told as unknown as Figures) : null;
}

/** Milliseconds after which figures are old. They arrive every second. */
const OLD_AFTER = 3_000;

/** Return true if newer figures are due. A connection may look open although nothing arrives over it. */
export const isOld = (latest: Figures | undefined, now: number): boolean => latest !== undefined && now - latest.at > OLD_AFTER;

/** Return the state of a node; unknown once its lease has ended by the clock here, because newer figures have not arrived. */
export function stateAt(node: NodeRecord, now: number, latest: Figures): NodeState {
  return isOld(latest, now) && node.until <= now ? 'unknown' : node.state;
}

/** Return the growth per second of a counter between two figures; null if it is unknown or the counter was reset. */
export function perSecond(now: Figures, before: Figures | undefined, of: (seen: Figures) => number): number | null {
  if (!before || now.at <= before.at || of(now) < of(before)) return null;
  return ((of(now) - of(before)) / (now.at - before.at)) * 1000;
}

/** The head of the log: the highest position of all nodes. */
export const headOf = (seen: Figures): number => Math.max(0, ...seen.node_list.map((node) => node.position ?? 0));

/** The number of entries by which a node is behind the head. */
export const behind = (node: NodeRecord, seen: Figures): number => headOf(seen) - (node.position ?? headOf(seen));

export const sumOf = (seen: Figures, of: (node: NodeRecord) => number | undefined): number =>
  seen.node_list.reduce((sum, node) => sum + (of(node) ?? 0), 0);

export const worstOf = (seen: Figures, of: (node: NodeRecord) => number | null | undefined): number | null => {
  const known = seen.node_list.map(of).filter((one) => one !== null && one !== undefined);
  return known.length ? Math.max(...known) : null;
};

/** Return the reasons for which streams ended on all nodes, most frequent first. */
export function endsOf(seen: Figures): [string, number][] {
  const all = new Map<string, number>();
  for (const node of seen.node_list)
    for (const [reason, count] of Object.entries(node.ends ?? {})) all.set(reason, (all.get(reason) ?? 0) + count);
  return [...all].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}

export type Series = (number | null)[];

/** Return the samples as columns for a chart. A gap of more than three steps is a gap in the lines. */
export function columnsOf(samples: Sample[], names: (keyof Sample)[]): [number[], ...Series[]] {
  const times: number[] = [];
  const columns: Series[] = names.map(() => []);
  const step = stepOf(samples);
  for (const sample of samples) {
    const time = Date.parse(sample.minute) / 1000;
    const last = times.at(-1);
    if (last !== undefined && time - last > 3 * step) {
      times.push(last + step);
      for (const column of columns) column.push(null);
    }
    times.push(time);
    names.forEach((name, n) => columns[n]?.push(Number(sample[name])));
  }
  return [times, ...columns];
}

/** Return the median distance of two samples in seconds; the last, current one may be closer to the one before. */
function stepOf(samples: Sample[]): number {
  const times = samples.map((sample) => Date.parse(sample.minute) / 1000);
  const steps = times.slice(1).map((time, n) => time - (times[n] ?? time));
  return steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 60;
}

/** Return the growth of counters in each step. A decrease means that the registry was restarted, and counts as 0. */
export function growth(samples: Sample[], names: (keyof Sample)[]): Sample[] {
  return samples.slice(1).map((sample, n) => {
    const before = samples[n] as Sample;
    const grown = Object.fromEntries(
      names.map((name) => [name, Math.max(0, Number(sample[name]) - Number(before[name]))]),
    );
    return { ...sample, ...grown };
  });
}
