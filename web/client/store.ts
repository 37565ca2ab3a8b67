/** One person's live view: API, stream, model and outbox joined. Subscribe to it, and call its verbs. */
import type { Api, Where } from './api';
import type { Entry } from './entry';
import { Marks } from './marks';
import * as model from './model';
import { Outbox, type Outgoing } from './outbox';
import { People } from './people';
import { Witness } from './presence/witness';
import { asProblem, Problem } from './problem';
import { DurableStream, type StreamState } from './stream';
import type { Timings } from './timings';
import type { Conversation, ConversationDraft, Id, Message, User } from './types';

export interface View extends model.Model {
  outgoing: Outgoing[];
  connection: StreamState;
  /** False until the first snapshot has come. */
  loaded: boolean;
}

export interface StoreOptions {
  api: Api;
  me: User;
  /** What an earlier page load could not send, and where to keep it for the next. */
  kept?: Outgoing[];
  keep?(outgoing: Outgoing[]): void;
  /** Hears every entry of the log. */
  entry?(entry: Entry): void;
  timings?: Partial<Timings>;
}

export class Store {
  private current: View;
  private telling = false;
  private readonly listeners = new Set<(view: View) => void>();
  private readonly held = new Map<Id, Entry[]>();
  private readonly opening = new Map<Id, Promise<void>>();
  private readonly outbox: Outbox;
  private readonly stream: DurableStream;
  private readonly witness: Witness;
  private readonly people: People;
  private readonly marks: Marks;
  private readonly api: Api;

  constructor(options: StoreOptions) {
    this.api = options.api;
    this.current = {
      ...model.emptyModel(options.me),
      outgoing: options.kept ?? [],
      connection: { name: 'stopped' },
      loaded: false,
    };
    this.people = new People(
      this.api,
      (id) => this.current.users.has(id),
      (users) => this.takeUsers(users),
    );
    this.marks = new Marks(this.api);
    this.outbox = new Outbox(
      {
        post: (conversation, body, clientId) => this.api.post(conversation, body, clientId),
        changed: (outgoing) => {
          options.keep?.(outgoing.filter((one) => one.state !== 'sent'));
          this.become({ outgoing });
        },
        refused: () => this.become({ connection: { name: 'refused' } }),
      },
      options.kept,
    );
    this.stream = new DurableStream({
      url: `${this.api.base}/api/chat/stream`,
      headers: this.api.identity(),
      resnapshot: () => this.snapshot(),
      entry: (entry) => {
        this.take(entry);
        options.entry?.(entry);
      },
      state: (connection) => this.connect(connection),
      ...(options.timings && { timings: options.timings }),
    });
    this.witness = new Witness(
      () => this.stream.cursor,
      () => this.stream.doubt(),
    );
  }

  get view(): View {
    return this.current;
  }

  /** Calls back now and after every change, once for all that arrived together. */
  subscribe(listener: (view: View) => void): () => void {
    this.listeners.add(listener);
    listener(this.current);
    return () => this.listeners.delete(listener);
  }

  start(): void {
    this.stream.start();
  }

  stop(): void {
    this.witness.stop();
    this.stream.stop();
    this.outbox.stop();
  }

  /** The network is back, or the person is: try at once. */
  wake(): void {
    this.stream.wake();
    this.outbox.wake();
  }

  /** The network is known to be gone. */
  cut(): void {
    this.stream.cut();
  }

  /** How far the log goes for this person, by another channel. */
  heed(cursor: string): void {
    this.witness.hear(cursor);
  }

  /** Loads the newest messages of a conversation. */
  open(id: Id): Promise<void> {
    const loading = this.opening.get(id) ?? this.loadNewest(id).finally(() => this.opening.delete(id));
    this.opening.set(id, loading);
    return loading;
  }

  /** Loads the page before the oldest loaded message. */
  async older(id: Id): Promise<void> {
    const before = this.current.timelines.get(id)?.messages[0]?.seq;
    if (before !== undefined) await this.load(id, { before });
  }

  trim(id: Id, keep: number): void {
    this.become(model.trimTimeline(this.current, id, keep));
  }

  send(id: Id, body: string): Outgoing {
    return this.outbox.send(id, body);
  }

  retry(clientId: string): void {
    this.outbox.retry(clientId);
  }

  discard(clientId: string): void {
    this.outbox.discard(clientId);
  }

  /** Moves the read mark here at once, and on the server when it can be reached. */
  markRead(id: Id, seq: number): void {
    if (seq <= (this.current.conversations.get(id)?.read_seq ?? Infinity)) return;
    this.become(model.markRead(this.current, id, seq));
    this.marks.move(id, seq);
  }

  async create(draft: ConversationDraft): Promise<Conversation> {
    return this.adopt({ created_at: new Date().toISOString(), ...(await this.api.createConversation(draft)) });
  }

  async join(id: Id): Promise<Conversation> {
    await this.api.join(id);
    return this.adopt(await this.api.conversation(id));
  }

  async leave(id: Id): Promise<void> {
    await this.api.leave(id);
  }

  /** These people are about to be named. */
  meet(ids: Iterable<Id>): void {
    this.people.want(ids);
  }

  takeUsers(users: User[]): void {
    this.become(model.takeUsers(this.current, users));
  }

  /** Who is in a conversation whose snapshot did not say; entries keep it true. */
  takeMembers(id: Id, members: Id[]): void {
    this.become(model.takeMembers(this.current, id, members));
    this.people.want(members);
  }

  private async loadNewest(id: Id): Promise<void> {
    // a page that reaches back to the first unread message, if it can
    const unread = this.current.conversations.get(id)?.unread ?? 0;
    await this.load(id, {}, Math.min(200, Math.max(50, unread + 20)));
    // entries that came while the page was on its way are fetched behind it
    for (let tries = 0; tries < 5 && this.current.timelines.get(id)?.hasAfter; tries++) {
      await this.load(id, { after: this.current.timelines.get(id)?.messages.at(-1)?.seq ?? 0 });
    }
  }

  private async load(id: Id, where: Where, limit?: number): Promise<void> {
    const page = await this.api.messages(id, where, limit);
    this.outbox.settle(page.messages.filter((message) => message.author === this.current.me.id));
    this.become(model.takePage(this.current, id, page));
    this.people.want(page.messages.map((message) => message.author));
  }

  private async snapshot(): Promise<string> {
    const snapshot = await this.api.conversations();
    this.become({ ...model.takeSnapshot(this.current, snapshot), loaded: true });
    this.people.want(snapshot.conversations.flatMap(peopleOf));
    return snapshot.cursor;
  }

  private take(entry: Entry): void {
    const held = this.held.get(conversationOf(entry) ?? 0);
    if (held) return void held.push(entry);
    const unknown = model.missing(this.current, entry);
    if (unknown !== null) return void this.fetchConversation(unknown, entry);
    this.become(model.apply(this.current, entry));
    if (entry.event === 'message') this.takeMessage(entry.data);
    if (entry.event === 'member') this.people.want([entry.data.user]);
  }

  private takeMessage(message: Message): void {
    this.people.want([message.author]);
    if (message.author === this.current.me.id) this.outbox.settle([message]);
    if (this.current.timelines.get(message.conversation)?.hasAfter)
      void this.open(message.conversation).catch(() => undefined);
  }

  /** Reads a conversation this person was just added to; what the stream brings meanwhile is held back. */
  private async fetchConversation(id: Id, first: Entry): Promise<void> {
    const held = [first];
    this.held.set(id, held);
    const conversation = await this.api.conversation(id).catch(asProblem);
    this.held.delete(id);
    if (conversation instanceof Problem) {
      if (conversation.passing) this.stream.renew();
    } else if (conversation.role) {
      this.adopt(conversation);
      for (const entry of held) this.take(entry);
    }
  }

  private adopt(conversation: Conversation): Conversation {
    this.become(model.takeConversation(this.current, conversation));
    this.people.want(peopleOf(conversation));
    return conversation;
  }

  private connect(connection: StreamState): void {
    if (connection.name === 'live' || connection.name === 'polling') {
      this.outbox.wake();
      void this.marks.flush();
    }
    this.become({ connection });
  }

  private become(change: Partial<View>): void {
    this.current = { ...this.current, ...change };
    if (this.telling) return;
    this.telling = true;
    queueMicrotask(() => {
      this.telling = false;
      for (const listener of this.listeners) listener(this.current);
    });
  }
}

function conversationOf(entry: Entry): Id | null {
  if (entry.event === 'user') return null;
  return entry.event === 'conversation' ? entry.data.id : entry.data.conversation;
}

function peopleOf(conversation: Conversation): Id[] {
  const last: Message | null | undefined = conversation.last_message;
  return [...(conversation.members ?? []), ...(last ? [last.author] : [])];
}
