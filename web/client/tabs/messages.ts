/**
 * Messages between the tabs of one browser and one user. Their names are a protocol: two tabs can run different
 * versions of the app, so do not rename them.
 */
import type { Entry } from '../entry';
import type { Outgoing } from '../outgoing';
import type { PresenceView } from '../presence/connection';
import type { Choice, PresenceRecord } from '../presence/protocol';
import type { ProblemFields } from '../problem';
import type { StreamState } from '../entry-source';
import type { Id } from '../types';

/** All entries for this user after `from`, up to `to`. */
export interface Batch {
  from: string | null;
  to: string | null;
  entries: Entry[];
}

/** A state that can be sent: a `Problem` object cannot. */
export type SerializedState =
  | Exclude<StreamState, { name: 'offline' }>
  | { name: 'offline'; problem: ProblemFields; retryAt: number };

/** A change of the presence view. */
export interface PresenceChange extends Partial<Omit<PresenceView, 'people'>> {
  people?: PresenceRecord[];
  gone?: Id[];
}

export interface TabWatches {
  users: Id[];
  conversations: Id[];
}

/** The data of each topic. First, the topics of the leader: */
export interface TabMessages {
  /** Sent by a tab that has just become the leader. */
  lead: null;
  alive: { dozing: boolean };
  entries: Batch;
  state: SerializedState;
  /** The snapshot has to be loaded again, for this reason. */
  reset: string;
  line: PresenceChange;
  /** All messages being sent. */
  outbox: Outgoing[];

  /** Topics of every tab. `hello`: a tab has opened or woken up. */
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
  /** True while the user looks at this tab. */
  looks: boolean;
}

export type Topic = keyof TabMessages;
