/** The line to the presence server: a socket of its own, or one that all tabs of a browser share. */
import type { Id } from '../types';
import type { Choice, Own, PresenceRecord } from './protocol';
import type { SocketState } from './socket';

export interface PresenceView {
  socket: SocketState;
  /** The server itself does not hear everything at present. */
  degraded: boolean;
  you: Own | null;
  people: ReadonlyMap<Id, PresenceRecord>;
  /** Conversation → who types there, without oneself. */
  typing: ReadonlyMap<Id, Id[]>;
}

export type Kind = 'users' | 'conversations';

export interface Line {
  readonly view: PresenceView;
  subscribe(listener: (view: PresenceView) => void): () => void;
  start(): void;
  stop(): void;
  wake(): void;
  cut(): void;
  /** This is on the screen, until the returned function is called. */
  watch(kind: Kind, id: Id): () => void;
  types(conversation: Id, on: boolean): void;
  /** Whether this device is in use. */
  idles(idle: boolean): void;
  /** Sets it for the person; it is shown at once, and said when the server can be reached. */
  choose(choice: Choice): void;
}

export const noView = (): PresenceView => ({
  socket: { name: 'stopped' },
  degraded: false,
  you: null,
  people: new Map(),
  typing: new Map(),
});
