/** The evidence of a delivery as a story that anybody can read, from the writing to the reading. Pure. */
import type { Delivery, StreamRecord } from '../../client';

export type Mark = 'done' | 'missing' | 'plain';

export interface Step {
  /** Null where it is not a moment. */
  at: string | null;
  mark: Mark;
  text: string;
  hint?: string;
}

const ends: Record<string, string> = {
  drain: 'the server was restarted',
  age: 'it was old enough to be renewed',
  slow: 'it read too slowly',
  revoked: 'its login was ended',
  expired: 'its login had expired',
  epoch: 'the database was restored',
};

/** In the order it happened; what did not happen stands at the end. */
export function storyOf({ message, user, streams, read_at, now, ...facts }: Delivery, name: string): Step[] {
  const node = message.node ? `, by node ${message.node}` : '';
  const written: Step = { at: message.committed_at, mark: 'done', text: 'Written and on disk', hint: `Position ${message.position} of the log${node}` };
  const read: Step[] = read_at ? [{ at: read_at, mark: 'done', text: `Read by ${name}` }] : [];
  const dated = [written, ...streams.flatMap((one) => streamSteps(one)), ...read];
  const sorted = dated.sort((a, b) => Date.parse(a.at ?? '') - Date.parse(b.at ?? ''));
  return [...sorted, ...missing(facts, streams, user, name), ...(now ? [hereNow(now, name)] : [])];
}

function streamSteps(stream: StreamRecord): Step[] {
  const hint = `Login ${stream.session}, node ${stream.node}`;
  const opened: Step = { at: stream.opened_at, mark: 'plain', text: 'A device connected', hint };
  const handed: Step[] = stream.handed_at
    ? [{ at: stream.handed_at, mark: 'done', text: stream.replayed ? 'Caught up on it after reconnecting' : 'Sent to the device', hint }]
    : [];
  const why = stream.reason ? (ends[stream.reason] ?? stream.reason) : 'the device went away';
  const closed: Step[] = stream.closed_at ? [{ at: stream.closed_at, mark: 'plain', text: `The device was disconnected: ${why}`, hint }] : [];
  return [opened, ...handed, ...closed];
}

type Rest = Pick<Delivery, 'member' | 'outcome' | 'why'>;

function missing({ member, outcome, why }: Rest, streams: StreamRecord[], user: Delivery['user'], name: string): Step[] {
  if (outcome === 'author' || outcome === 'read') return [];
  if (!member) return [{ at: null, mark: 'missing', text: `${name} was not a member when it was written`, hint: why }];
  if (user.disabled) return [{ at: null, mark: 'missing', text: `The account of ${name} is disabled` }];
  if (outcome === 'deleted') return [{ at: null, mark: 'missing', text: 'It was deleted since' }];
  const reached = streams.some((one) => one.handed_at);
  if (reached) return [{ at: null, mark: 'missing', text: `${name} has not read it yet`, hint: 'It is on the device, or waits on the screen' }];
  const text = streams.length ? 'No device that was connected got as far as this message' : `No device of ${name} has been connected since`;
  return [{ at: null, mark: 'missing', text, hint: 'It is kept, and comes when a device connects' }];
}

function hereNow({ devices, why }: NonNullable<Delivery['now']>, name: string): Step {
  const count = devices.reduce((sum, one) => sum + one.streams, 0);
  const text = count ? `Now: ${count === 1 ? 'one stream' : `${count} streams`} open for ${name}` : `Now: no stream is open for ${name}`;
  return { at: null, mark: 'plain', text, hint: why };
}

/** The answer in a sentence. */
export function verdictOf({ outcome, why, streams, read_at }: Delivery, name: string): string {
  const replayed = streams.some((one) => one.handed_at && one.replayed) && !streams.some((one) => one.handed_at && !one.replayed);
  const verdicts: Partial<Record<Delivery['outcome'], string>> = {
    author: `${name} wrote it.`,
    read: read_at ? `${name} got it and has read it.` : `${name} has read it.`,
    handed: `${name} got it${replayed ? ' after being away' : ''} and has not read it yet.`,
    not_handed: `${name} has not got it: every connection since broke off before it came.`,
    no_stream: `${name} has not got it: no device has been connected since it was written.`,
  };
  return verdicts[outcome] ?? `${name} does not get it. ${why}`;
}
