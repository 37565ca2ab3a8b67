/** The dashboard's figures as the server tells them, and what follows from them. Pure. */
import type { NodeRecord, Sample, Stats } from '../../client/schema';

export type { NodeRecord, Sample } from '../../client/schema';
export type NodeState = NodeRecord['state'];
export type Figures = Omit<Stats, 'history'>;

/** What the socket says each second has no figures while the registry cannot be reached. */
export function figuresOf(told: { at?: unknown }): Figures | null {
  return typeof told.at === 'number' ? (told as unknown as Figures) : null;
}

/** How much something grew a second between two looks; null where that is not known, or it began anew. */
export function perSecond(now: Figures, before: Figures | undefined, of: (seen: Figures) => number): number | null {
  if (!before || now.at <= before.at || of(now) < of(before)) return null;
  return ((of(now) - of(before)) / (now.at - before.at)) * 1000;
}

/** The furthest of all nodes is where the log is. */
export const headOf = (seen: Figures): number => Math.max(0, ...seen.node_list.map((node) => node.position ?? 0));

/** How far behind the head a node is, in entries. */
export const behind = (node: NodeRecord, seen: Figures): number => headOf(seen) - (node.position ?? headOf(seen));

export const sumOf = (seen: Figures, of: (node: NodeRecord) => number | undefined): number =>
  seen.node_list.reduce((sum, node) => sum + (of(node) ?? 0), 0);

export const worstOf = (seen: Figures, of: (node: NodeRecord) => number | null | undefined): number | null => {
  const known = seen.node_list.map(of).filter((one) => one !== null && one !== undefined);
  return known.length ? Math.max(...known) : null;
};

/** Why streams have ended, on all nodes, most often first. */
export function endsOf(seen: Figures): [string, number][] {
  const all = new Map<string, number>();
  for (const node of seen.node_list)
    for (const [reason, count] of Object.entries(node.ends ?? {})) all.set(reason, (all.get(reason) ?? 0) + count);
  return [...all].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}

export type Series = (number | null)[];

/** The samples as columns for a chart; a gap of more than three steps is one in the lines, too. */
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

/** The usual distance of two samples; the last one, of this moment, may be nearer to the one before. */
function stepOf(samples: Sample[]): number {
  const times = samples.map((sample) => Date.parse(sample.minute) / 1000);
  const steps = times.slice(1).map((time, n) => time - (times[n] ?? time));
  return steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 60;
}

/** What only grows, as how much it grew in each step; a fall is a registry that began anew, and no going back. */
export function growth(samples: Sample[], names: (keyof Sample)[]): Sample[] {
  return samples.slice(1).map((sample, n) => {
    const before = samples[n] as Sample;
    const grown = Object.fromEntries(
      names.map((name) => [name, Math.max(0, Number(sample[name]) - Number(before[name]))]),
    );
    return { ...sample, ...grown };
  });
}
