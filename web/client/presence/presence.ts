/**
 * Who is here, as one person's page sees it: the socket and what it brings, what this person is, and what they
 * do. Subscribe to it, and call its verbs.
 */
import type { Api } from '../api';
import type { Id } from '../types';
import { Activity } from './activity';
import type { Choice, Own, PresenceRecord, Signal, Told } from './shapes';
import { Sight } from './sight';
import { PresenceSocket, type SocketState, type SocketTimings } from './socket';
import { mergeDevices } from './status';
import { TypingLists } from './typing';
import { Typist } from './typist';

export interface PresenceView {
  socket: SocketState;
  /** The server itself does not hear everything at present. */
  degraded: boolean;
  you: Own | null;
  people: ReadonlyMap<Id, PresenceRecord>;
  /** Conversation → who types there, without oneself. */
  typing: ReadonlyMap<Id, Id[]>;
}

export interface PresenceOptions {
  api: Api;
  me: Id;
  /** Takes the cursor that the stream should have reached. */
  witness?(cursor: string): void;
  timings?: Partial<SocketTimings>;
}

const REPEAT = 1_000;

export class Presence {
  private current: PresenceView = {
    socket: { name: 'stopped' },
    degraded: false,
    you: null,
    people: new Map(),
    typing: new Map(),
  };
  private telling = false;
  private unsaid: Choice | null = null;
  private repeating: ReturnType<typeof setTimeout> | undefined;
  private typingEnds: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new Set<(view: PresenceView) => void>();
  private readonly lists = new TypingLists();
  private readonly socket: PresenceSocket;
  private readonly say = (signal: Signal): boolean => this.socket.say(signal);
  private readonly sight = new Sight({ say: this.say, show: (people) => this.become({ people }) });
  readonly typist = new Typist((conversation, on) => void this.say({ type: 'typing', conversation, on }));
  readonly activity = new Activity((idle) => void this.say({ type: idle ? 'idle' : 'active' }));

  constructor(private readonly options: PresenceOptions) {
    const { api, timings } = options;
    this.socket = new PresenceSocket({
      url: `${(api.base || location.origin).replace(/^http/, 'ws')}/api/presence/socket`,
      ticket: () => api.presenceTicket(),
      ticketOnly: api.token !== undefined,
      told: (told) => this.hear(told),
      state: (socket) => this.connect(socket),
      ...(timings && { timings }),
    });
  }

  get view(): PresenceView {
    return this.current;
  }

  /** Calls back now and after every change, once for all that arrived together. */
  subscribe(listener: (view: PresenceView) => void): () => void {
    this.listeners.add(listener);
    listener(this.current);
    return () => this.listeners.delete(listener);
  }

  start(): void {
    this.activity.start();
    this.socket.start();
  }

  stop(): void {
    this.typist.stops();
    this.activity.stop();
    this.socket.stop();
  }

  /** The network is back, or the person is: try at once. */
  wake(): void {
    this.socket.wake();
  }

  /** The network is known to be gone. */
  cut(): void {
    this.socket.cut();
  }

  /** This person or conversation is on the screen, until the returned function is called. */
  watch(kind: 'users' | 'conversations', id: Id): () => void {
    return this.sight.watch(kind, id);
  }

  /** Who shares a conversation with whom has changed, and so who may see whom; many such changes are one. */
  rewatch(): void {
    this.repeating ??= setTimeout(() => {
      this.repeating = undefined;
      this.sight.repeat();
    }, REPEAT);
  }

  /** Sets it for the person, on all devices; it is shown at once, and said when the server can be reached. */
  choose(choice: Choice): void {
    this.unsaid = choice;
    const { you } = this.current;
    if (you) this.become({ you: { ...you, ...choice, status: this.predict(choice) } });
    this.sayChoice();
  }

  private predict(choice: Choice): Own['status'] {
    const here = [{ session: 0, active: !this.activity.idle, gone: 0 }];
    return choice.mode === 'invisible' ? 'invisible' : mergeDevices(here, choice, Date.now());
  }

  private sayChoice(): void {
    if (!this.unsaid) return;
    const { mode, text, emoji, until } = this.unsaid;
    if (this.say({ type: 'status', status: mode, text, emoji, ...(until && { until }) })) this.unsaid = null;
  }

  private connect(socket: SocketState): void {
    this.become({ socket });
    if (socket.name === 'open') return;
    this.sight.end();
    this.lists.clear();
    this.showTyping();
  }

  private hear(told: Told): void {
    if (told.type === 'hello') this.greeted(told);
    else if (told.type === 'you') this.become({ you: told.you });
    else if (told.type === 'snapshot') this.sight.takeSnapshot(told.users);
    else if (told.type === 'presence') this.sight.takeChanges(told.users);
    else if (told.type === 'hidden') this.sight.lose(told.users);
    else if (told.type === 'beat') this.options.witness?.(told.witness);
    else if (told.type === 'degraded') this.doubt(told.on);
    else if (told.type === 'typing') {
      this.lists.take(told.conversation, told.users, Date.now());
      this.showTyping();
    }
  }

  private greeted({ you, degraded, witness }: Extract<Told, { type: 'hello' }>): void {
    this.become({ you, degraded: degraded ?? false });
    if (this.activity.idle) this.say({ type: 'idle' });
    this.sayChoice();
    this.sight.begin();
    if (witness) this.options.witness?.(witness);
  }

  private doubt(degraded: boolean): void {
    this.become({ degraded });
    if (!degraded) this.sight.repeat();
  }

  private showTyping(): void {
    clearTimeout(this.typingEnds);
    const now = Date.now();
    const typing = this.lists.at(now, this.options.me);
    if (this.lists.end < Infinity) this.typingEnds = setTimeout(() => this.showTyping(), this.lists.end - now);
    if (typing.size || this.current.typing.size) this.become({ typing });
  }

  private become(change: Partial<PresenceView>): void {
    this.current = { ...this.current, ...change };
    if (this.telling) return;
    this.telling = true;
    queueMicrotask(() => {
      this.telling = false;
      for (const listener of this.listeners) listener(this.current);
    });
  }
}
