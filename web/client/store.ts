/** One person's live view: API, stream, model and outbox joined. Subscribe to it, and call its verbs. */
import { Actions } from './actions';
import type { Api } from './api';
import { type PendingEdit, PendingEdits } from './edits';
import type { Entry } from './entry';
import type { EntrySource, EntrySourceOptions, StreamState } from './entry-source';
import { EntryHandler, usersOf } from './entry-handler';
import { Observable } from './observable';
import { ReadMarks } from './read-marks';
import * as model from './model';
import { Moderation } from './moderation';
import { Outbox, type OutboxOptions } from './outbox';
import type { MessageQueue, OutboxStorage, Outgoing } from './outgoing';
import { Pages, usersIn } from './pages';
import { UserLookup } from './user-lookup';
import { asProblem } from './problem';
import { StallDetector } from './presence/stall-detector';
import { DurableStream } from './stream';
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
  /** Where the entries come from; without it, from a stream of its own. */
  source?(options: EntrySourceOptions): EntrySource;
  /** What sends; without it, an outbox of its own. */
  outbox?(options: OutboxOptions): MessageQueue;
  /** Where messages are kept until they are sent, over page loads. */
  storage?: OutboxStorage;
  /** Hears every entry of the log. */
  onEntry?(entry: Entry): void;
  timings?: Partial<Timings>;
}

export class Store {
  /** What is read as it is needed. */
  readonly pages: Pages;
  /** What a person does with messages, threads and people. */
  readonly actions: Actions;
  readonly edits: PendingEdits;
  private readonly observable: Observable<View>;
  private readonly entryHandler: EntryHandler;
  private readonly outbox: MessageQueue;
  private readonly source: EntrySource;
  private readonly stallDetector: StallDetector;
  private readonly userLookup: UserLookup;
  private readonly readMarks: ReadMarks;

  constructor(private readonly options: StoreOptions) {
    const { api, me } = options;
    const nothing = { outgoing: [], edits: [], connection: { name: 'stopped' as const }, loaded: false };
    this.observable = new Observable<View>({ ...model.emptyModel(me), ...nothing });
    const context = {
      api,
      model: () => this.view,
      update: (change: Partial<View>) => this.observable.update(change),
      loadUsers: (ids: Id[]) => this.userLookup.load(ids),
      settleOutgoing: (messages: Message[]) => this.settleOutgoing(messages),
      resync: () => this.source.resync(),
    };
    this.userLookup = new UserLookup(api, (id) => this.view.users.has(id), (users) => this.takeUsers(users));
    this.pages = new Pages(context);
    this.entryHandler = new EntryHandler({ ...context, pages: this.pages });
    this.actions = new Actions(context);
    this.edits = new PendingEdits({
      api,
      onChange: (pending) => this.observable.update({ edits: pending }),
      onSaved: (message) => this.observable.update(model.correct(this.view, message)),
    });
    this.readMarks = new ReadMarks(api);
    this.outbox = this.makeOutbox();
    this.source = this.makeSource();
    this.stallDetector = new StallDetector(
      () => this.source.cursor,
      () => this.source.reportStall(),
    );
  }

  get view(): View {
    return this.observable.view;
  }

  /** Calls back now and after every change, once for all that arrived together. */
  subscribe(listener: (view: View) => void): () => void {
    return this.observable.subscribe(listener);
  }

  start(): void {
    this.outbox.start();
    this.source.start();
  }

  stop(): void {
    this.stallDetector.stop();
    this.source.stop();
    this.outbox.stop();
  }

  /** The network is back, or the person is: try at once. */
  wake(): void {
    this.source.wake();
    this.outbox.wake();
  }

  /** The network is known to be gone. */
  dropConnection(): void {
    this.source.dropConnection();
  }

  /** How far the log goes for this person, by another channel. */
  reportLogPosition(cursor: string): void {
    this.stallDetector.check(cursor);
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
    if (seq <= (this.view.conversations.get(id)?.read_seq ?? Infinity)) return;
    this.observable.update(model.markRead(this.view, id, seq));
    this.readMarks.move(id, seq);
  }

  /** `invited`: people who were asked to join instead of added. */
  async create(draft: ConversationDraft): Promise<Conversation & { invited: Id[] }> {
    const { invited = [], ...made } = await this.options.api.createConversation(draft);
    return { ...this.entryHandler.addConversation({ created_at: new Date().toISOString(), ...made }), invited };
  }

  async accept(id: Id): Promise<Conversation> {
    return this.entryHandler.addConversation(await this.respond(id, this.options.api.acceptInvitation(id)));
  }

  async decline(id: Id): Promise<void> {
    await this.respond(id, this.options.api.declineInvitation(id));
    this.observable.update(model.closeInvitation(this.view, id));
  }

  /** An invitation that is no longer open (404) leaves the list, too. */
  private async respond<T>(id: Id, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (asProblem(error).status === 404) this.observable.update(model.closeInvitation(this.view, id));
      throw error;
    }
  }

  /** One that is not in the list; what is archived and one belongs to can be read from here on. */
  async loadConversation(id: Id): Promise<Conversation> {
    const found = await this.options.api.conversation(id);
    return found.archived && found.role ? this.entryHandler.addConversation(found) : found;
  }

  async join(id: Id): Promise<Conversation> {
    await this.options.api.join(id);
    return this.entryHandler.addConversation(await this.options.api.conversation(id));
  }

  /** What is not named stays; brought back from the archive it is shown at once. */
  async change(id: Id, change: ConversationChange): Promise<void> {
    const changed = await this.options.api.changeConversation(id, change);
    if (!changed.archived) this.entryHandler.addConversation(changed);
  }

  /** Comes in by the code of a link. */
  async joinByLink(code: string): Promise<Conversation> {
    return this.entryHandler.addConversation(await new Moderation(this.options.api).joinByLink(code));
  }

  async leave(id: Id): Promise<void> {
    await this.options.api.leave(id);
  }

  /** These people are about to be named. */
  loadUsers(ids: Iterable<Id>): void {
    this.userLookup.load(ids);
  }

  takeUsers(users: User[]): void {
    this.observable.update(model.takeUsers(this.view, users));
  }

  /** Who is in a conversation whose snapshot did not say; entries keep it true. */
  takeMembers(id: Id, members: Member[]): void {
    this.observable.update(model.takeMembers(this.view, id, members));
    this.userLookup.load(members.map((one) => one.user));
  }

  private makeOutbox(): MessageQueue {
    const { api, storage, outbox = (options: OutboxOptions) => new Outbox(options) } = this.options;
    return outbox({
      post: (conversation, body, clientId, references) => api.post(conversation, body, clientId, references),
      onChange: (outgoing) => this.observable.update({ outgoing }),
      onUnauthorized: () => this.observable.update({ connection: { name: 'refused' } }),
      storage,
    });
  }

  private makeSource(): EntrySource {
    const { api, onEntry, source = (options: EntrySourceOptions) => new DurableStream(options), timings } = this.options;
    return source({
      url: `${api.base}/api/chat/stream`,
      headers: api.identity(),
      me: this.view.me.id,
      loadSnapshot: () => this.loadSnapshot(),
      onEntry: (entry) => {
        this.entryHandler.handle(entry);
        onEntry?.(entry);
      },
      onState: (connection) => this.setConnection(connection),
      ...(timings && { timings }),
    });
  }

  private async loadSnapshot(): Promise<string> {
    const { api } = this.options;
    const snapshot = await api.conversations();
    this.pages.reset();
    this.observable.update({ ...model.takeSnapshot(this.view, snapshot), loaded: true });
    this.userLookup.load(snapshot.conversations.flatMap(usersOf));
    this.userLookup.load(model.invitationsIn(snapshot).map((one) => one.invited_by));
    // after the snapshot, never before: then the entries after its cursor bring them up to date as well
    const threads = await api.threads();
    this.observable.update(model.takeThreads(this.view, threads));
    this.userLookup.load(threads.flatMap((thread) => usersIn(thread.message)));
    return snapshot.cursor;
  }

  private settleOutgoing(messages: Message[]): void {
    this.outbox.settle(messages.filter((message) => message.author === this.view.me.id));
  }

  private setConnection(connection: StreamState): void {
    if (connection.name === 'live' || connection.name === 'polling') {
      this.outbox.wake();
      void this.readMarks.flush();
    }
    this.observable.update({ connection });
  }
}
