/** Figures as text. Pure. */
import { messages as m } from '../messages/dashboard';
import { numberFormat } from '../messages/language';
import type { NodeRecord } from './figures';

const whole = numberFormat({ maximumFractionDigits: 0 });
const tenth = numberFormat({ maximumFractionDigits: 1 });

export const count = (n: number): string => whole(n);

/** Return a rate such as `0.4/s` or `120/s`; `–` if it is unknown. */
export const rateOf = (n: number | null): string =>
  n === null ? '–' : m.dashboard.perSecond((n < 10 ? tenth : whole)(n));

/** Return a duration such as `0.4 ms`, `12 ms` or `1.2 s`. */
export function time(milliseconds: number | null | undefined): string {
  if (milliseconds === null || milliseconds === undefined) return '–';
  if (milliseconds < 1000) return `${(milliseconds < 10 ? tenth : whole)(milliseconds)} ms`;
  return `${tenth(milliseconds / 1000)} s`;
}

/** Return a time span such as `45 s`, `12 min`, `3 h 20 min` or `5 d 4 h`. */
export function span(seconds: number): string {
  const { units } = m.dashboard;
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} ${units.seconds}`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes} ${units.minutes}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} ${units.hours} ${minutes % 60} ${units.minutes}` : `${hours} ${units.hours}`;
  const days = `${Math.floor(hours / 24)} ${units.days}`;
  return hours % 24 ? `${days} ${hours % 24} ${units.hours}` : days;
}

export function bytes(n: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const at = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log(Math.max(n, 1)) / Math.log(1024))));
  return `${(at < 3 ? whole : tenth)(n / 1024 ** at)} ${units[at]}`;
}

/** Return the consequences of a node's state; empty for a healthy node. `now`: the time of the registry's clock. */
export function stateNote(node: NodeRecord, now: number): string {
  const left = Math.max(0, Math.ceil((node.until - now) / 1000));
  switch (node.state) {
    case 'silent':
      return m.dashboard.nodes.silent(span((now - node.heard) / 1000), left);
    case 'leaving':
      return m.dashboard.nodes.leaving(left);
    case 'draining':
    case 'drained':
    case 'lost':
    case 'reaped':
      return m.dashboard.nodes[node.state];
    default:
      return '';
  }
}
