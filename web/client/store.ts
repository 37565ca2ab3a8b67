/** A user's live view: API, stream, model and outbox combined. Subscribe to it and call its methods. */
import { Actions } from './actions';
import type { Api } from './api';
import { type PendingEdit, PendingEdits } from './edits';
import type { Entry, Stop } from './entry';
import type { EntrySource, EntrySourceOptions, StreamState } from './entry-source';
import { EntryHandler, usersOf } from './entry-handler';
import { Observable } from './observable';
import { ReadMarks } from './read-marks';
import * as model from './model';
import { Moderation } from './moderation';
import { streamMessage, type StreamMessageOptions, type TextSource } from './message-writer';
import { Outbox, type OutboxOptions } from './outbox';
import type { MessageQueue, OutboxStorage, Outgoing } from './outgoing';
import { Pages, usersIn } from './pages';
import { UserLookup } from './user-lookup';
import { asProblem } from './problem';
import { StreamedMessages } from './streamed-messages';
import { StallDetector } from './presence/stall-detector';
import { DurableStream } from './stream';
import type { Timings } from './timings';
import type { Conversation, ConversationChange, ConversationDraft, Id, Member, Message, References, User } from './types';

export interface View extends model.Model {
  outgoing: Outgoing[];
  /** Edits that are being saved or were rejected. */
  edits: PendingEdit[];
  connection: StreamState;
  /** False until the first snapshot has arrived. */
  loaded: boolean;
}

export interface StoreOptions {
  api: Api;
  me: User;
  /** Makes the source of entries; by default a stream of its own. */
  source?(options: EntrySourceOptions): EntrySource;
  /** Makes the queue of messages to send; by default an outbox of its own. */
  outbox?(options: OutboxOptions): MessageQueue;
  /** Storage for unsent messages that outlives the page. */
  storage?: OutboxStorage;
  /** Called with every entry of the log, and the view before it. */
  onEntry?(entry: Entry, before: View): void;
  /** Called when everything was loaded: at first, and where the log does not go back far enough. */
  onSnapshot?(): void;
  timings?: Partial<Timings>;
}

export class Store {
  /** Data loaded on demand. */
  readonly pages: Pages;
  /** Actions on messages, threads and users. */
  readonly actions: Actions;
  readonly edits: PendingEdits;
  private readonly observable: Observable<View>;
  private readonly entryHandler: EntryHandler;
  private readonly outbox: MessageQueue;
  private readonly source: EntrySource;
  private readonly stallDetector: StallDetector;
  private readonly userLookup: UserLookup;
  private readonly readMarks: ReadMarks;
  private readonly streamed: StreamedMessages;
  private readonly onStops = new Set<(stop: Stop) => void>();

  constructor(private readonly options: StoreOptions) {
    const { api, me } = options;
    const nothing = { outgoing: [], edits: [], connection: { name: 'stopped' as const }, loaded: false };
    this.observable = new Observable<View>({ ...model.emptyModel(me), ...nothing });
    const context = {
      api,
      model: () => this.view,
      update: (change: Partial<View>) => this.observable.update(change),
      loadUsers: (ids: Id[]) => this.userLookup.load(ids),
      completeText: (messages: Message[]) => this.streamed.check(messages),
      settleOutgoing: (messages: Message[]) => this.settleOutgoing(messages),
      resync: () => this.source.resync(),
    };
    this.userLookup = new UserLookup(api, (id) => this.view.users.has(id), (users) => this.takeUsers(users));
    this.pages = new Pages(context);
    this.streamed = new StreamedMessages(context);
    this.entryHandler = new EntryHandler({ ...context, pages: this.pages, streamed: this.streamed });
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

  /** Call the listener now and after every change, once for all changes that arrived together. */
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

  /** Try again at once: the network is back, or the user is. */
  wake(): void {
    this.source.wake();
    this.outbox.wake();
  }

  /** Close the connection, because the network is known to be down. */
  dropConnection(): void {
    this.source.dropConnection();
  }

  /** Report how far the log goes for this user, learned from another channel. */
  reportLogPosition(cursor: string): void {
    this.stallDetector.check(cursor);
  }

  send(id: Id, body: string, references?: References): Outgoing {
    return this.outbox.send(id, body, references);
  }

  /**
   * Send one message whose text is produced while others read it. It ends as `cancelled` if a reader asks to stop. See
   * `streamMessage`.
   */
  streamMessage(conversation: Id, source: TextSource, options: StreamMessageOptions = {}): Promise<Message> {
    const onStop = (listener: (stop: Stop) => void) => {
      this.onStops.add(listener);
      return () => void this.onStops.delete(listener);
    };
    return streamMessage(this.options.api, conversation, source, { onStop, ...options });
  }

  retry(clientId: string): void {
    this.outbox.retry(clientId);
  }

  discard(clientId: string): void {
    this.outbox.discard(clientId);
  }

  /**
   * Move the read mark here at once, and on the server as soon as it is reachable. Messages that the user has marked
   * as unread stay so, unless the user asked to read them.
   */
  markRead(id: Id, seq: number, asked = false): void {
    const conversation = this.view.conversations.get(id);
    const kept = conversation?.marked_unread && !asked;
    if (!conversation || kept || seq <= conversation.read_seq) return;
    this.observable.update(model.markRead(this.view, id, seq));
    this.readMarks.move([id, seq, !!conversation.marked_unread]);
  }

  /** Mark all conversations as read, up to the messages known now. */
  markAllRead(): void {
    const unread = [...this.view.conversations.values()].filter((one) => one.unread || one.mentions);
    const read = unread.reduce<model.Model>((next, one) => model.markRead(next, one.id, one.last_seq), this.view);
    this.observable.update(read);
    this.readMarks.move(...unread.map((one): [Id, number, boolean] => [one.id, one.last_seq, !!one.marked_unread]));
  }

  /**
   * Mark the messages from `seq` on as unread. The view changes when the stream brings the entry, which has the counts.
   */
  markUnread(id: Id, seq: number): Promise<void> {
    return this.readMarks.moveBack(id, seq - 1);
  }

  /** Create a conversation. `invited` lists users who were invited instead of added. */
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

  /** Await the answer to an invitation. If it is no longer open (404), remove it from the list as well. */
  private async respond<T>(id: Id, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (asProblem(error).status === 404) this.observable.update(model.closeInvitation(this.view, id));
      throw error;
    }
  }

  /**
   * Load a conversation that is not in the list. An archived conversation of this user is added, so that it can be
   * read.
   */
  async loadConversation(id: Id): Promise<Conversation> {
    const found = await this.options.api.conversation(id);
    return found.archived && found.role ? this.entryHandler.addConversation(found) : found;
  }

  async join(id: Id): Promise<Conversation> {
    await this.options.api.join(id);
    return this.entryHandler.addConversation(await this.options.api.conversation(id));
  }

  /** Change a conversation. Fields that are left out keep their value. A restored conversation shows at once. */
  async change(id: Id, change: ConversationChange): Promise<void> {
    const changed = await this.options.api.changeConversation(id, change);
    if (!changed.archived) this.entryHandler.addConversation(changed);
  }

  /** Join a conversation with the code of an invite link. */
  async joinByLink(code: string): Promise<Conversation> {
    return this.entryHandler.addConversation(await new Moderation(this.options.api).joinByLink(code));
  }

  async leave(id: Id): Promise<void> {
    await this.options.api.leave(id);
  }

  /** Load these users if they are unknown: their names are about to be shown. */
  loadUsers(ids: Iterable<Id>): void {
    this.userLookup.load(ids);
  }

  takeUsers(users: User[]): void {
    this.observable.update(model.takeUsers(this.view, users));
  }

  /** Add the members of a conversation whose snapshot did not list them. Entries keep the list up to date. */
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
      headers: () => api.identity(),
      me: this.view.me.id,
      loadSnapshot: () => this.loadSnapshot(),
      onEntry: (entry) => {
        const before = this.view;
        this.entryHandler.handle(entry);
        if (entry.event === 'stop') for (const listener of [...this.onStops]) listener(entry.data);
        onEntry?.(entry, before);
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
    this.options.onSnapshot?.();
    this.userLookup.load(snapshot.conversations.flatMap(usersOf));
    this.userLookup.load(model.invitationsIn(snapshot).map((one) => one.invited_by));
    // after the snapshot, never before: the entries after its cursor then update the threads as well
    const { threads, cursor } = await api.threads();
    this.observable.update(model.takeThreads(this.view, threads, cursor));
    this.userLookup.load(threads.flatMap((thread) => usersIn(thread.message)));
    return snapshot.cursor;
  }

  private settleOutgoing(messages: Message[]): void {
    this.outbox.settle(messages.filter((message) => message.author === this.view.me.id));
  }

  /** Load everything again after answers that a service worker had kept, now that the server is reachable. */
  private replaceCopies(): void {
    const { api } = this.options;
    if (!api.copied) return;
    api.copied = false;
    this.source.resync();
  }

  private setConnection(connection: StreamState): void {
    if (connection.name === 'live' || connection.name === 'polling') {
      this.outbox.wake();
      void this.readMarks.flush();
      this.replaceCopies();
    }
    this.observable.update({ connection });
  }
}
