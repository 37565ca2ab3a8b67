/** One person's live view: API, stream, model and outbox joined. Subscribe to it, and call its verbs. */
import { Acts } from './actions';
import type { Api } from './api';
import { Edits, type PendingEdit } from './edits';
import type { Entry } from './entry';
import type { Feed, FeedOptions, StreamState } from './entry-source';
import { Intake, peopleOf } from './entry-handler';
import { Live } from './observable';
import { Marks } from './read-marks';
import * as model from './model';
import { Moderation } from './moderation';
import { Outbox, type OutboxOptions } from './outbox';
import type { Keep, Out, Outgoing } from './outgoing';
import { Pages, peopleIn } from './pages';
import { People } from './user-lookup';
import { asProblem } from './problem';
import { Witness } from './presence/stall-detector';
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
  feed?(options: FeedOptions): Feed;
  /** What sends; without it, an outbox of its own. */
  out?(options: OutboxOptions): Out;
  /** Where messages are kept until they are sent, over page loads. */
  keep?: Keep;
  /** Hears every entry of the log. */
  entry?(entry: Entry): void;
  timings?: Partial<Timings>;
}

export class Store {
  /** What is read as it is needed. */
  readonly pages: Pages;
  /** What a person does with messages, threads and people. */
  readonly acts: Acts;
  readonly edits: Edits;
  private readonly live: Live<View>;
  private readonly intake: Intake;
  private readonly outbox: Out;
  private readonly feed: Feed;
  private readonly witness: Witness;
  private readonly people: People;
  private readonly marks: Marks;

  constructor(private readonly options: StoreOptions) {
    const { api, me } = options;
    const nothing = { outgoing: [], edits: [], connection: { name: 'stopped' as const }, loaded: false };
    this.live = new Live<View>({ ...model.emptyModel(me), ...nothing });
    const desk = {
      api,
      model: () => this.view,
      become: (change: Partial<View>) => this.live.become(change),
      meet: (ids: Id[]) => this.people.want(ids),
      settle: (messages: Message[]) => this.settle(messages),
      renew: () => this.feed.renew(),
    };
    this.people = new People(api, (id) => this.view.users.has(id), (users) => this.takeUsers(users));
    this.pages = new Pages(desk);
    this.intake = new Intake({ ...desk, pages: this.pages });
    this.acts = new Acts(desk);
    this.edits = new Edits({
      api,
      changed: (pending) => this.live.become({ edits: pending }),
      saved: (message) => this.live.become(model.correct(this.view, message)),
    });
    this.marks = new Marks(api);
    this.outbox = this.makeOutbox();
    this.feed = this.makeFeed();
    this.witness = new Witness(
      () => this.feed.cursor,
      () => this.feed.doubt(),
    );
  }

  get view(): View {
    return this.live.view;
  }

  /** Calls back now and after every change, once for all that arrived together. */
  subscribe(listener: (view: View) => void): () => void {
    return this.live.subscribe(listener);
  }

  start(): void {
    this.outbox.start();
    this.feed.start();
  }

  stop(): void {
    this.witness.stop();
    this.feed.stop();
    this.outbox.stop();
  }

  /** The network is back, or the person is: try at once. */
  wake(): void {
    this.feed.wake();
    this.outbox.wake();
  }

  /** The network is known to be gone. */
  cut(): void {
    this.feed.cut();
  }

  /** How far the log goes for this person, by another channel. */
  heed(cursor: string): void {
    this.witness.hear(cursor);
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
    this.live.become(model.markRead(this.view, id, seq));
    this.marks.move(id, seq);
  }

  /** `invited`: people who were asked to join instead of added. */
  async create(draft: ConversationDraft): Promise<Conversation & { invited: Id[] }> {
    const { invited = [], ...made } = await this.options.api.createConversation(draft);
    return { ...this.intake.adopt({ created_at: new Date().toISOString(), ...made }), invited };
  }

  async accept(id: Id): Promise<Conversation> {
    return this.intake.adopt(await this.answer(id, this.options.api.acceptInvitation(id)));
  }

  async decline(id: Id): Promise<void> {
    await this.answer(id, this.options.api.declineInvitation(id));
    this.live.become(model.closeInvitation(this.view, id));
  }

  /** An invitation that is no longer open (404) leaves the list, too. */
  private async answer<T>(id: Id, asked: Promise<T>): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      if (asProblem(error).status === 404) this.live.become(model.closeInvitation(this.view, id));
      throw error;
    }
  }

  /** One that is not in the list; what is archived and one belongs to can be read from here on. */
  async look(id: Id): Promise<Conversation> {
    const found = await this.options.api.conversation(id);
    return found.archived && found.role ? this.intake.adopt(found) : found;
  }

  async join(id: Id): Promise<Conversation> {
    await this.options.api.join(id);
    return this.intake.adopt(await this.options.api.conversation(id));
  }

  /** What is not named stays; brought back from the archive it is shown at once. */
  async change(id: Id, change: ConversationChange): Promise<void> {
    const changed = await this.options.api.changeConversation(id, change);
    if (!changed.archived) this.intake.adopt(changed);
  }

  /** Comes in by the code of a link. */
  async joinBy(code: string): Promise<Conversation> {
    return this.intake.adopt(await new Moderation(this.options.api).joinBy(code));
  }

  async leave(id: Id): Promise<void> {
    await this.options.api.leave(id);
  }

  /** These people are about to be named. */
  meet(ids: Iterable<Id>): void {
    this.people.want(ids);
  }

  takeUsers(users: User[]): void {
    this.live.become(model.takeUsers(this.view, users));
  }

  /** Who is in a conversation whose snapshot did not say; entries keep it true. */
  takeMembers(id: Id, members: Member[]): void {
    this.live.become(model.takeMembers(this.view, id, members));
    this.people.want(members.map((one) => one.user));
  }

  private makeOutbox(): Out {
    const { api, keep, out = (options: OutboxOptions) => new Outbox(options) } = this.options;
    return out({
      post: (conversation, body, clientId, references) => api.post(conversation, body, clientId, references),
      changed: (outgoing) => this.live.become({ outgoing }),
      refused: () => this.live.become({ connection: { name: 'refused' } }),
      keep,
    });
  }

  private makeFeed(): Feed {
    const { api, feed, entry: hear, timings } = this.options;
    const make = feed ?? ((options: FeedOptions) => new DurableStream(options));
    return make({
      url: `${api.base}/api/chat/stream`,
      headers: api.identity(),
      me: this.view.me.id,
      resnapshot: () => this.snapshot(),
      entry: (entry) => {
        this.intake.take(entry);
        hear?.(entry);
      },
      state: (connection) => this.connect(connection),
      ...(timings && { timings }),
    });
  }

  private async snapshot(): Promise<string> {
    const { api } = this.options;
    const snapshot = await api.conversations();
    this.pages.forget();
    this.live.become({ ...model.takeSnapshot(this.view, snapshot), loaded: true });
    this.people.want(snapshot.conversations.flatMap(peopleOf));
    this.people.want(model.invitationsIn(snapshot).map((one) => one.invited_by));
    // after the snapshot, never before: then the entries after its cursor bring them up to date as well
    const threads = await api.threads();
    this.live.become(model.takeThreads(this.view, threads));
    this.people.want(threads.flatMap((thread) => peopleIn(thread.message)));
    return snapshot.cursor;
  }

  private settle(messages: Message[]): void {
    this.outbox.settle(messages.filter((message) => message.author === this.view.me.id));
  }

  private connect(connection: StreamState): void {
    if (connection.name === 'live' || connection.name === 'polling') {
      this.outbox.wake();
      void this.marks.flush();
    }
    this.live.become({ connection });
  }
}
