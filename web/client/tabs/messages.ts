/** What the tabs of one browser and one login tell each other. */
import type { Entry } from '../entry';
import type { Outgoing } from '../outgoing';
import type { PresenceView } from '../presence/connection';
import type { Choice, PresenceRecord } from '../presence/protocol';
import type { ProblemFields } from '../problem';
import type { StreamState } from '../entry-source';
import type { Id } from '../types';

/** Everything addressed to this person that lies beyond `from`, up to `to`. */
export interface Batch {
  from: string | null;
  to: string | null;
  entries: Entry[];
}

/** A state as it can be told: a `Problem` does not survive the way. */
export type SerializedState =
  | Exclude<StreamState, { name: 'offline' }>
  | { name: 'offline'; problem: ProblemFields; retryAt: number };

/** What has changed in the view of who is here. */
export interface PresenceChange extends Partial<Omit<PresenceView, 'people'>> {
  people?: PresenceRecord[];
  gone?: Id[];
}

export interface TabWatches {
  users: Id[];
  conversations: Id[];
}

/** By topic. Those of the leader: */
export interface TabMessages {
  /** It has just become the leader. */
  lead: null;
  alive: { dozing: boolean };
  entries: Batch;
  state: SerializedState;
  /** The snapshot is to be read again, and why. */
  reset: string;
  line: PresenceChange;
  /** All that is on its way. */
  outbox: Outgoing[];

  /** Those of everybody: a tab has come, or has woken up. */
  hello: null;
  'alive?': null;
  wake: null;
  watch: TabWatches;
  types: { conversation: Id; on: boolean };
  idles: boolean;
  choose: Choice;
  send: Outgoing;
  retry: string;
  discard: string;
  /** Whether a person looks at this tab. */
  looks: boolean;
}

export type Topic = keyof TabMessages;
