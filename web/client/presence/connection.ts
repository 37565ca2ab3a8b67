/** A line of one's own: the socket, what is watched on it, and what it brings. */
import type { Api } from '../api';
import { Live } from '../observable';
import type { Id } from '../types';
import type { Choice, Own, PresenceRecord, Signal, Told } from './protocol';
import { Sight } from './watch-list';
import { PresenceSocket, type SocketState, type SocketTimings } from './socket';
import { mergeDevices } from './records';
import { TypingLists } from './typing';

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

export interface LineOptions {
  api: Api;
  me: Id;
  /** Takes the cursor that the stream should have reached. */
  witness?(cursor: string): void;
  timings?: Partial<SocketTimings>;
}

export class OwnLine implements Line {
  private readonly live: Live<PresenceView>;
  private unsaid: Choice | null = null;
  private idle = false;
  private typingEnds: ReturnType<typeof setTimeout> | undefined;
  private readonly lists = new TypingLists();
  private readonly socket: PresenceSocket;
  private readonly say = (signal: Signal): boolean => this.socket.say(signal);
  private readonly sight = new Sight({ say: this.say, show: (people) => this.live.become({ people }) });

  /** `last`: what was seen last, until something else is known. */
  constructor(
    private readonly options: LineOptions,
    last: PresenceView = noView(),
  ) {
    this.live = new Live<PresenceView>({ ...last, socket: { name: 'stopped' } });
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
    return this.live.view;
  }

  subscribe(listener: (view: PresenceView) => void): () => void {
    return this.live.subscribe(listener);
  }

  start(): void {
    this.socket.start();
  }

  stop(): void {
    this.socket.stop();
  }

  wake(): void {
    this.socket.wake();
  }

  cut(): void {
    this.socket.cut();
  }

  watch(kind: Kind, id: Id): () => void {
    return this.sight.watch(kind, id);
  }

  types(conversation: Id, on: boolean): void {
    this.say({ type: 'typing', conversation, on });
  }

  idles(idle: boolean): void {
    this.idle = idle;
    this.say({ type: idle ? 'idle' : 'active' });
  }

  choose(choice: Choice): void {
    this.unsaid = choice;
    const { you } = this.view;
    if (you) this.live.become({ you: predict(you, choice, this.idle) });
    this.sayChoice();
  }

  private sayChoice(): void {
    if (!this.unsaid) return;
    const { mode, text, emoji, until } = this.unsaid;
    if (this.say({ type: 'status', status: mode, text, emoji, ...(until && { until }) })) this.unsaid = null;
  }

  private connect(socket: SocketState): void {
    this.live.become({ socket });
    if (socket.name === 'open') return;
    this.sight.end();
    this.lists.clear();
    this.showTyping();
  }

  private hear(told: Told): void {
    if (told.type === 'hello') this.greeted(told);
    else if (told.type === 'you') this.live.become({ you: told.you });
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
    this.live.become({ you, degraded: degraded ?? false });
    if (this.idle) this.say({ type: 'idle' });
    this.sayChoice();
    this.sight.begin();
    if (witness) this.options.witness?.(witness);
  }

  private doubt(degraded: boolean): void {
    this.live.become({ degraded });
    if (!degraded) this.sight.repeat();
  }

  private showTyping(): void {
    clearTimeout(this.typingEnds);
    const now = Date.now();
    const typing = this.lists.at(now, this.options.me);
    if (this.lists.end < Infinity) this.typingEnds = setTimeout(() => this.showTyping(), this.lists.end - now);
    if (typing.size || this.view.typing.size) this.live.become({ typing });
  }
}

/** What one's own presence will be, as far as this device can tell. */
export function predict(you: Own, choice: Choice, idle: boolean): Own {
  const here = [{ session: 0, active: !idle, gone: 0 }];
  const status = choice.mode === 'invisible' ? 'invisible' : mergeDevices(here, choice, Date.now());
  return { ...you, ...choice, status };
}
