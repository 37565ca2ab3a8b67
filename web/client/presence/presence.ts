/**
 * Who is here, as one person's page sees it: the line and what it brings, what this person is, and what they
 * do. Subscribe to it, and call its verbs.
 */
import type { Id } from '../types';
import { Activity } from './activity';
import { type WatchKind, type PresenceConnection, type PresenceConnectionOptions, DirectPresenceConnection, type PresenceView } from './connection';
import type { Choice } from './protocol';
import { TypingSender } from './typing-sender';

export interface PresenceOptions extends PresenceConnectionOptions {
  /** The line to speak on; without it, a socket of its own. */
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

  /** Calls back now and after every change, once for all that arrived together. */
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

  /** The network is back, or the person is: try at once. */
  wake(): void {
    this.connection.wake();
  }

  /** The network is known to be gone. */
  dropConnection(): void {
    this.connection.dropConnection();
  }

  /** This person or conversation is on the screen, until the returned function is called. */
  watch(kind: WatchKind, id: Id): () => void {
    return this.connection.watch(kind, id);
  }

  /** Sets it for the person, on all devices; it is shown at once, and said when the server can be reached. */
  choose(choice: Choice): void {
    this.connection.choose(choice);
  }
}
