/** The records of a delivery as plain sentences, from writing to reading. Pure. */
import type { Delivery, StreamRecord } from '../../client';
import { messages as m } from '../messages';

export type Mark = 'done' | 'missing' | 'plain';

export interface Step {
  /** The time, or null for a step without one. */
  at: string | null;
  mark: Mark;
  text: string;
  hint?: string;
}

/** Return the steps in the order of time; the missing step, if any, and the current state are last. */
export function deliverySteps({ message, user, streams, read_at, now, ...facts }: Delivery, name: string): Step[] {
  const hint = m.evidence.storedHint(message.position, message.node ?? '');
  const written: Step = { at: message.committed_at, mark: 'done', text: m.evidence.stored, hint };
  const read: Step[] = read_at ? [{ at: read_at, mark: 'done', text: m.evidence.readBy(name) }] : [];
  const dated = [written, ...streams.flatMap((one) => streamSteps(one)), ...read];
  const sorted = dated.sort((a, b) => Date.parse(a.at ?? '') - Date.parse(b.at ?? ''));
  return [...sorted, ...missing(facts, streams, user, name), ...(now ? [currentState(now, name)] : [])];
}

function streamSteps(stream: StreamRecord): Step[] {
  const hint = m.evidence.session(stream.session, stream.node);
  const opened: Step = { at: stream.opened_at, mark: 'plain', text: m.evidence.connected, hint };
  const handed: Step[] = stream.handed_at
    ? [{ at: stream.handed_at, mark: 'done', text: stream.replayed ? m.evidence.replayed : m.evidence.sent, hint }]
    : [];
  const text = stream.reason ? m.evidence.disconnected(m.evidence.ends[stream.reason] ?? stream.reason) : m.evidence.closedByDevice;
  const closed: Step[] = stream.closed_at ? [{ at: stream.closed_at, mark: 'plain', text, hint }] : [];
  return [opened, ...handed, ...closed];
}

type Rest = Pick<Delivery, 'member' | 'outcome' | 'why'>;

function missing({ member, outcome, why }: Rest, streams: StreamRecord[], user: Delivery['user'], name: string): Step[] {
  if (outcome === 'author' || outcome === 'read') return [];
  if (!member) return [{ at: null, mark: 'missing', text: m.evidence.notMember(name), hint: why }];
  if (user.disabled) return [{ at: null, mark: 'missing', text: m.evidence.disabled(name) }];
  if (outcome === 'deleted') return [{ at: null, mark: 'missing', text: m.evidence.deleted }];
  const reached = streams.some((one) => one.handed_at);
  if (reached) return [{ at: null, mark: 'missing', text: m.evidence.unread(name), hint: m.evidence.unreadHint }];
  const text = streams.length ? m.evidence.notReached : m.evidence.noDevice(name);
  return [{ at: null, mark: 'missing', text, hint: m.evidence.willArrive }];
}

function currentState({ devices, why }: NonNullable<Delivery['now']>, name: string): Step {
  const count = devices.reduce((sum, one) => sum + one.streams, 0);
  return { at: null, mark: 'plain', text: m.evidence.openStreams(count, name), hint: why };
}

/** Return one sentence: did the user receive the message, and if not, why. */
export function verdictOf({ outcome, why, streams, read_at }: Delivery, name: string): string {
  const replayed = streams.some((one) => one.handed_at && one.replayed) && !streams.some((one) => one.handed_at && !one.replayed);
  const { verdicts } = m.evidence;
  const found: Partial<Record<Delivery['outcome'], string>> = {
    author: verdicts.author(name),
    read: (read_at ? verdicts.receivedAndRead : verdicts.read)(name),
    handed: (replayed ? verdicts.receivedLater : verdicts.received)(name),
    not_handed: verdicts.notReceived(name),
    no_stream: verdicts.noDevice(name),
  };
  return found[outcome] ?? verdicts.excluded(name, why);
}
