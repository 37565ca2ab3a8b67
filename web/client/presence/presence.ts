/**
 * Presence for one page: the connection and its view, this device's activity, typing and status. Subscribe to it
 * and call its methods.
 */
import type { Id } from '../types';
import { Activity } from './activity';
import {
  DirectPresenceConnection,
  type PresenceConnection,
  type PresenceConnectionOptions,
  type PresenceView,
  type WatchKind,
} from './connection';
import type { Choice } from './protocol';
import { TypingSender } from './typing-sender';

export interface PresenceOptions extends PresenceConnectionOptions {
  /** Makes the connection; by default a socket of its own. */
  connection?(make: (last?: PresenceView) => PresenceConnection): PresenceConnection;
}

export class Presence {
  private readonly connection: PresenceConnection;
  readonly typingSender = new TypingSender((conversation, on) => this.connection.setTyping(conversation, on));
  readonly activity = new Activity((idle) => this.connection.setIdle(idle));

  constructor(options: PresenceOptions) {
    const make = (last?: PresenceView) => new DirectPresenceConnection(options, last);
    this.connection = options.connection?.(make) ?? make();
  }

  get view(): PresenceView {
    return this.connection.view;
  }

  /** Call the listener now and after every change, once for all changes that arrived together. */
  subscribe(listener: (view: PresenceView) => void): () => void {
    return this.connection.subscribe(listener);
  }

  start(): void {
    this.activity.start();
    this.connection.start();
  }

  stop(): void {
    this.typingSender.stop();
    this.activity.stop();
    this.connection.stop();
  }

  /** Reconnect at once: the network is back, or the user is. */
  wake(): void {
    this.connection.wake();
  }

  /** Close the connection, because the network is known to be down. */
  dropConnection(): void {
    this.connection.dropConnection();
  }

  /** Watch a user or conversation that is on the screen. The returned function ends the watch. */
  watch(kind: WatchKind, id: Id): () => void {
    return this.connection.watch(kind, id);
  }

  /** Set the user's status on all devices. It shows at once and is sent when the server is reachable. */
  choose(choice: Choice): void {
    this.connection.choose(choice);
  }
}
