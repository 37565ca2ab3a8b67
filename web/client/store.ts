/** One person's live view: API, stream, model and outbox joined. Subscribe to it, and call its verbs. */
import { Acts } from './acts';
import type { Api, Where } from './api';
import { apply, missing } from './apply';
import { Edits, type PendingEdit } from './edits';
import type { Entry } from './entry';
import { Marks } from './marks';
import * as model from './model';
import { Moderation } from './moderation';
import { Originals } from './originals';
import { Outbox, type Outgoing } from './outbox';
import { placeOf } from './message';
import { People } from './people';
import { Witness } from './presence/witness';
import { asProblem, Problem } from './problem';
import { DurableStream, type StreamState } from './stream';
import type { Timings } from './timings';
import type { Conversation, ConversationChange, ConversationDraft, Id, Member, Message, References, User } from './types';

export interface View extends model.Model {
  outgoing: Outgoing[];
  /** Corrections that the server does not have yet, or would not have. */
  edits: PendingEdit[];
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
  /** Conversations whose timeline shows what was said long ago: what is new does not move it. */
  private readonly past = new Set<Id>();
  /** What a person does with messages, threads and people. */
  readonly acts: Acts;
  readonly edits: Edits;
  private readonly originals: Originals;
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
      edits: [],
      connection: { name: 'stopped' },
      loaded: false,
    };
    this.people = new People(
      this.api,
      (id) => this.current.users.has(id),
      (users) => this.takeUsers(users),
    );
    this.originals = new Originals(
      this.api,
      (conversation, seq) => model.findMessage(this.current, conversation, seq) !== undefined,
      (message) => this.takeLoose([message]),
    );
    this.acts = new Acts({
      api: this.api,
      model: () => this.current,
      become: (change) => this.become(change),
    });
    this.edits = new Edits({
      api: this.api,
      changed: (edits) => this.become({ edits }),
      saved: (message) => this.correct(message),
    });
    this.marks = new Marks(this.api);
    this.outbox = new Outbox(
      {
        post: (conversation, body, clientId, references) => this.api.post(conversation, body, clientId, references),
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

  /** Loads the page after the newest loaded message, where that is not the newest of all. */
  async newer(id: Id): Promise<void> {
    const after = this.current.timelines.get(id)?.messages.at(-1)?.seq;
    if (after !== undefined) await this.load(id, { after });
    if (!this.current.timelines.get(id)?.hasAfter) this.past.delete(id);
  }

  /** Shows what was said around a message, in place of what was loaded. */
  async around(id: Id, seq: number): Promise<void> {
    const page = await this.api.messages(id, { around: seq });
    this.become(model.showPage(this.current, id, page));
    if (this.current.timelines.get(id)?.hasAfter) this.past.add(id);
    this.people.want(page.messages.flatMap(peopleIn));
  }

  /** Back from the past: the newest messages, in place of what was loaded. */
  async newest(id: Id): Promise<void> {
    const page = await this.api.messages(id);
    this.past.delete(id);
    this.become(model.showPage(this.current, id, page));
    this.people.want(page.messages.flatMap(peopleIn));
  }

  trim(id: Id, keep: number): void {
    this.become(model.trimTimeline(this.current, id, keep));
  }

  send(id: Id, body: string, references?: References): Outgoing {
    return this.outbox.send(id, body, references);
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

  /** What is not named stays; brought back from the archive it is shown at once. */
  async change(id: Id, change: ConversationChange): Promise<void> {
    const changed = await this.api.changeConversation(id, change);
    if (!changed.archived) this.adopt(changed);
  }

  /** Comes in by the code of a link. */
  async joinBy(code: string): Promise<Conversation> {
    return this.adopt(await new Moderation(this.api).joinBy(code));
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
  takeMembers(id: Id, members: Member[]): void {
    this.become(model.takeMembers(this.current, id, members));
    this.people.want(members.map((one) => one.user));
  }

  /** The message that a thread began with, and its newest replies. */
  async openThread(id: Id, root: number): Promise<void> {
    await this.originals.want(id, root);
    await this.loadReplies(id, root, {});
    const place = placeOf(id, root);
    for (let tries = 0; tries < 5 && this.current.replies.get(place)?.hasAfter; tries++) {
      await this.loadReplies(id, root, { after: this.current.replies.get(place)?.messages.at(-1)?.seq ?? 0 });
    }
  }

  async olderReplies(id: Id, root: number): Promise<void> {
    const before = this.current.replies.get(placeOf(id, root))?.messages[0]?.seq;
    if (before !== undefined) await this.loadReplies(id, root, { before });
  }

  async loadPins(id: Id): Promise<void> {
    const pins = await this.api.pins(id);
    this.become(model.takePins(this.current, id, pins));
    this.people.want(pins.flatMap((pin) => [pin.user, ...peopleIn(pin.message)]));
  }

  async loadReceipts(id: Id): Promise<void> {
    const receipts = await this.api.receipts(id);
    this.become(model.takeReceipts(this.current, id, receipts));
  }

  /** A message that is pointed at will be known, if it can be. */
  want(id: Id, seq: number): void {
    void this.originals.want(id, seq);
  }

  private async loadReplies(id: Id, root: number, where: Where): Promise<void> {
    const page = await this.api.replies(id, root, where);
    this.outbox.settle(page.messages.filter((message) => message.author === this.current.me.id));
    this.become(model.takeReplies(this.current, id, root, page));
    this.people.want(page.messages.flatMap(peopleIn));
  }

  private takeLoose(messages: Message[]): void {
    this.become(model.takeLoose(this.current, messages));
    this.people.want(messages.flatMap(peopleIn));
  }

  /** The answer to a correction may come before its entry; one that is older than what is known says nothing. */
  private correct(message: Message): void {
    const { conversation, seq, edited_at } = message;
    const later = (old: Message) => !old.deleted && (old.edited_at ?? '') < (edited_at ?? '');
    const change = (old: Message) => (later(old) ? { ...old, body: message.body, ...(edited_at && { edited_at }) } : old);
    this.become(model.changeMessage(this.current, conversation, seq, change));
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
    this.people.want(page.messages.flatMap(peopleIn));
  }

  private async snapshot(): Promise<string> {
    const snapshot = await this.api.conversations();
    this.past.clear();
    this.become({ ...model.takeSnapshot(this.current, snapshot), loaded: true });
    this.people.want(snapshot.conversations.flatMap(peopleOf));
    // after the snapshot, never before: then the entries after its cursor bring them up to date as well
    const threads = await this.api.threads();
    this.become(model.takeThreads(this.current, threads));
    this.people.want(threads.flatMap((thread) => peopleIn(thread.message)));
    return snapshot.cursor;
  }

  private take(entry: Entry): void {
    const held = this.held.get(conversationOf(entry) ?? 0);
    if (held) return void held.push(entry);
    const unknown = missing(this.current, entry);
    if (unknown !== null) return void this.fetchConversation(unknown, entry);
    this.become(apply(this.current, entry));
    if (entry.event === 'message') this.takeMessage(entry.data);
    if (entry.event === 'edit') this.people.want(peopleIn(entry.data));
    if ('user' in entry.data) this.people.want([entry.data.user]);
    if (entry.event === 'thread' && entry.data.following) this.want(entry.data.conversation, entry.data.seq);
    if (entry.event === 'pin' && this.current.pins.has(entry.data.conversation))
      this.want(entry.data.conversation, entry.data.seq);
  }

  private takeMessage(message: Message): void {
    this.people.want(peopleIn(message));
    if (message.author === this.current.me.id) {
      this.outbox.settle([message]);
      if (message.thread) this.want(message.conversation, message.thread);
    }
    if (this.current.timelines.get(message.conversation)?.hasAfter && !this.past.has(message.conversation))
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
  if (entry.event === 'conversation') return entry.data.id;
  return 'conversation' in entry.data ? entry.data.conversation : null;
}

function peopleOf(conversation: Conversation): Id[] {
  const last: Message | null | undefined = conversation.last_message;
  return [...(conversation.members ?? []), ...(last ? [last.author] : [])];
}

/** Those whose names a message shows: who wrote it, whom it calls, and the first of those who react to it. */
function peopleIn(message: Message): Id[] {
  const reacting = (message.reactions ?? []).flatMap((reaction) => reaction.users.slice(0, 12));
  return [message.author, ...(message.mentions ?? []), ...reacting];
}
