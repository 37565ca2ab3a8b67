/** How figures read. Pure. */
import type { NodeRecord, NodeState } from './figures';

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

export const count = (n: number): string => whole.format(n);

/** `0.4 ms`, `12 ms`, `1.2 s`. */
export function time(milliseconds: number | null | undefined): string {
  if (milliseconds === null || milliseconds === undefined) return '–';
  if (milliseconds < 1000) return `${(milliseconds < 10 ? tenth : whole).format(milliseconds)} ms`;
  return `${tenth.format(milliseconds / 1000)} s`;
}

/** `45 s`, `12 min`, `3 h 20 min`, `5 d 4 h`. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return hours % 24 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${Math.floor(hours / 24)} d`;
}

export function bytes(n: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const at = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log(Math.max(n, 1)) / Math.log(1024))));
  return `${(at < 3 ? whole : tenth).format(n / 1024 ** at)} ${units[at]}`;
}

export const stateNames: Record<NodeState, string> = {
  up: 'Up',
  silent: 'Silent',
  draining: 'Draining',
  drained: 'Drained',
  leaving: 'Leaving',
  lost: 'Lost',
  reaped: 'Being reaped',
};

/** What follows from a node's state, in one sentence; nothing of one that is well. `now`: the registry's clock. */
export function fateOf(node: NodeRecord, now: number): string {
  const left = Math.max(0, Math.ceil((node.until - now) / 1000));
  switch (node.state) {
    case 'silent':
      return `Not heard for ${span((now - node.heard) / 1000)}. Counts as dead in ${left} s, and its people as gone.`;
    case 'draining':
      return 'Takes nothing new; its people are moving to the other nodes.';
    case 'drained':
      return 'Holds nobody. It can be stopped, or come back.';
    case 'leaving':
      return `Has stopped in order. Its people have ${left} s to appear elsewhere.`;
    case 'lost':
      return 'Its lease has run out. Another node is about to reap its people.';
    case 'reaped':
      return 'Another node is reaping its people: whoever is nowhere else goes offline.';
    default:
      return '';
  }
}

export const endNames: Record<string, string> = {
  left: 'Reader went away',
  age: 'Reached their age',
  drain: 'Node drained',
  slow: 'Read too slowly',
  revoked: 'Login was ended',
  expired: 'Login expired',
  epoch: 'Another log',
};

export const actionNames: Record<string, string> = {
  login: 'Log-ins and sessions',
  account: 'Accounts',
  reset: 'Password resets',
  limit: 'Limits hit',
  admin: 'Refused admin calls',
  audit: 'Activity log',
  report: 'Reports',
  presence: 'Presence',
  node: 'Nodes',
  announcement: 'Announcements',
  delivery: 'Delivery',
  invite: 'Invites',
  conversation: 'Conversations',
  message: 'Messages',
};
