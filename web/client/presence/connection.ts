/** The presence connection and the view it fills: a socket of its own, the watch list, status and typing. */
import type { Api } from '../api';
import { Observable } from '../observable';
import type { Id } from '../types';
import type { Choice, Own, PresenceRecord, Signal, ServerFrame } from './protocol';
import { WatchList } from './watch-list';
import { PresenceSocket, type SocketState, type SocketTimings } from './socket';
import { mergeDevices } from './records';
import { TypingLists } from './typing';

export interface PresenceView {
  socket: SocketState;
  /** The server itself does not get all updates at the moment. */
  degraded: boolean;
  you: Own | null;
  people: ReadonlyMap<Id, PresenceRecord>;
  /** Users who are typing, by conversation, without this user. */
  typing: ReadonlyMap<Id, Id[]>;
}

export type WatchKind = 'users' | 'conversations';

export interface PresenceConnection {
  readonly view: PresenceView;
  subscribe(listener: (view: PresenceView) => void): () => void;
  start(): void;
  stop(): void;
  wake(): void;
  dropConnection(): void;
  /** Watch what is on the screen. The returned function ends the watch. */
  watch(kind: WatchKind, id: Id): () => void;
  setTyping(conversation: Id, on: boolean): void;
  /** Report whether this device is idle. */
  setIdle(idle: boolean): void;
  /** Set the user's status. It shows at once and is sent when the server is reachable. */
  choose(choice: Choice): void;
}

export const emptyView = (): PresenceView => ({
  socket: { name: 'stopped' },
  degraded: false,
  you: null,
  people: new Map(),
  typing: new Map(),
});

export interface PresenceConnectionOptions {
  api: Api;
  me: Id;
  /** Called with the cursor that the stream should have reached. */
  onLogPosition?(cursor: string): void;
  timings?: Partial<SocketTimings>;
}

export class DirectPresenceConnection implements PresenceConnection {
  private readonly observable: Observable<PresenceView>;
  private unsentChoice: Choice | null = null;
  private idle = false;
  private typingTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly typingLists = new TypingLists();
  private readonly socket: PresenceSocket;
  private readonly send = (signal: Signal): boolean => this.socket.send(signal);
  private readonly watchList = new WatchList({
    send: this.send,
    onChange: (people) => this.observable.update({ people }),
  });

  /** `last` is the view to start from. */
  constructor(
    private readonly options: PresenceConnectionOptions,
    last: PresenceView = emptyView(),
  ) {
    this.observable = new Observable<PresenceView>({ ...last, socket: { name: 'stopped' } });
    const { api, timings } = options;
    this.socket = new PresenceSocket({
      url: `${(api.base || location.origin).replace(/^http/, 'ws')}/api/presence/socket`,
      ticket: () => api.presenceTicket(),
      ticketOnly: api.token !== undefined,
      onFrame: (frame) => this.onFrame(frame),
      onState: (socket) => this.onSocketState(socket),
      ...(timings && { timings }),
    });
  }

  get view(): PresenceView {
    return this.observable.view;
  }

  subscribe(listener: (view: PresenceView) => void): () => void {
    return this.observable.subscribe(listener);
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

  dropConnection(): void {
    this.socket.dropConnection();
  }

  watch(kind: WatchKind, id: Id): () => void {
    return this.watchList.watch(kind, id);
  }

  setTyping(conversation: Id, on: boolean): void {
    this.send({ type: 'typing', conversation, on });
  }

  setIdle(idle: boolean): void {
    this.idle = idle;
    this.send({ type: idle ? 'idle' : 'active' });
  }

  choose(choice: Choice): void {
    this.unsentChoice = choice;
    const { you } = this.view;
    if (you) this.observable.update({ you: predictOwn(you, choice, this.idle) });
    this.sendChoice();
  }

  private sendChoice(): void {
    if (!this.unsentChoice) return;
    const { mode, text, emoji, until } = this.unsentChoice;
    if (this.send({ type: 'status', status: mode, text, emoji, ...(until && { until }) })) this.unsentChoice = null;
  }

  private onSocketState(socket: SocketState): void {
    this.observable.update({ socket });
    if (socket.name === 'open') return;
    this.watchList.onDisconnect();
    this.typingLists.clear();
    this.showTyping();
  }

  private onFrame(frame: ServerFrame): void {
    if (frame.type === 'hello') this.onHello(frame);
    else if (frame.type === 'you') this.observable.update({ you: frame.you });
    else if (frame.type === 'snapshot') this.watchList.takeSnapshot(frame.users);
    else if (frame.type === 'presence') this.watchList.takeChanges(frame.users);
    else if (frame.type === 'hidden') this.watchList.hide(frame.users);
    else if (frame.type === 'beat') this.options.onLogPosition?.(frame.witness);
    else if (frame.type === 'degraded') this.onDegraded(frame.on);
    else if (frame.type === 'typing') {
      this.typingLists.take(frame.conversation, frame.users, Date.now());
      this.showTyping();
    }
  }

  private onHello({ you, degraded, witness }: Extract<ServerFrame, { type: 'hello' }>): void {
    this.observable.update({ you, degraded: degraded ?? false });
    if (this.idle) this.send({ type: 'idle' });
    this.sendChoice();
    this.watchList.onConnect();
    if (witness) this.options.onLogPosition?.(witness);
  }

  private onDegraded(degraded: boolean): void {
    this.observable.update({ degraded });
    if (!degraded) this.watchList.refresh();
  }

  private showTyping(): void {
    clearTimeout(this.typingTimer);
    const now = Date.now();
    const typing = this.typingLists.at(now, this.options.me);
    const { nextExpiry } = this.typingLists;
    if (nextExpiry < Infinity) this.typingTimer = setTimeout(() => this.showTyping(), nextExpiry - now);
    if (typing.size || this.view.typing.size) this.observable.update({ typing });
  }
}

/** Predict this user's own presence, as far as this device can tell. */
export function predictOwn(you: Own, choice: Choice, idle: boolean): Own {
  const here = [{ session: 0, active: !idle, gone: 0 }];
  const status = choice.mode === 'invisible' ? 'invisible' : mergeDevices(here, choice, Date.now());
  return { ...you, ...choice, status };
}
