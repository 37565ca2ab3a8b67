/**
 * Who is here, as one person's page sees it: the line and what it brings, what this person is, and what they
 * do. Subscribe to it, and call its verbs.
 */
import type { Id } from '../types';
import { Activity } from './activity';
import { type Kind, type Line, type LineOptions, OwnLine, type PresenceView } from './connection';
import type { Choice } from './protocol';
import { Typist } from './typing-sender';

export interface PresenceOptions extends LineOptions {
  /** The line to speak on; without it, a socket of its own. */
  line?(make: (last?: PresenceView) => Line): Line;
}

export class Presence {
  private readonly line: Line;
  readonly typist = new Typist((conversation, on) => this.line.types(conversation, on));
  readonly activity = new Activity((idle) => this.line.idles(idle));

  constructor(options: PresenceOptions) {
    const make = (last?: PresenceView) => new OwnLine(options, last);
    this.line = options.line?.(make) ?? make();
  }

  get view(): PresenceView {
    return this.line.view;
  }

  /** Calls back now and after every change, once for all that arrived together. */
  subscribe(listener: (view: PresenceView) => void): () => void {
    return this.line.subscribe(listener);
  }

  start(): void {
    this.activity.start();
    this.line.start();
  }

  stop(): void {
    this.typist.stops();
    this.activity.stop();
    this.line.stop();
  }

  /** The network is back, or the person is: try at once. */
  wake(): void {
    this.line.wake();
  }

  /** The network is known to be gone. */
  cut(): void {
    this.line.cut();
  }

  /** This person or conversation is on the screen, until the returned function is called. */
  watch(kind: Kind, id: Id): () => void {
    return this.line.watch(kind, id);
  }

  /** Sets it for the person, on all devices; it is shown at once, and said when the server can be reached. */
  choose(choice: Choice): void {
    this.line.choose(choice);
  }
}
