/** What `<tandem-chat>` shows: the state of the connection, the messages, who is typing, and the field for new ones. */
import type { View } from '../store';
import type { Conversation, Id, Message, User } from '../types';
import { Composer } from './composer';
import type { Connection, Live } from './connection';
import { make } from './dom';
import { nameOf, Rows } from './rows';
import { styles } from './styles';
import type { Words } from './words';

export interface ChatViewOptions {
  root: ShadowRoot;
  connection: Connection;
  /** The conversation. */
  id: Id;
  words: Words;
  language: string;
  onError(error: unknown): void;
}

/** Pixels from the end at which new messages are scrolled into view, and from the beginning at which older ones load. */
const [NEAR_END, NEAR_BEGINNING] = [40, 150];

/** The most members whose presence is watched. */
const MOST_MEMBERS = 100;

export class ChatView {
  private readonly title = make('h2', { part: 'title', id: 'title' });
  private readonly presence = make('span', { className: 'note', part: 'presence' });
  private readonly state = make('p', { className: 'state', part: 'state', role: 'status' });
  private readonly more: HTMLButtonElement;
  private readonly list = make('ol');
  private readonly log: HTMLElement;
  private readonly typing = make('p', { className: 'note typing', part: 'typing' });
  private readonly announced = make('p', { className: 'unseen', role: 'status' });
  private readonly composer: Composer;
  private readonly rows = new Rows(this.list);
  private readonly ending = new AbortController();
  private readonly resizes = new ResizeObserver(() => this.stuck && this.toEnd());
  private readonly sight: IntersectionObserver;
  private live: Live | null = null;
  /** Ends the watch of the conversation, which shows who is typing. */
  private unwatch: () => void = () => undefined;
  /** Ends the watches of its members, which show who is online. */
  private readonly members = new Map<Id, () => void>();
  /** True while the newest message is in view, so that the next one is scrolled into view. */
  private stuck = true;
  private onScreen = false;
  private loading = false;
  /** The state of the connection in which loading failed: it is tried again in another one. */
  private failedIn: unknown = null;
  private found: Conversation | 'missing' | null = null;
  private readonly reported = new Set<string>();

  constructor(private readonly options: ChatViewOptions) {
    const { root, words, connection, id, onError } = options;
    this.more = make('button', { type: 'button', className: 'more', hidden: true }, words.earlier);
    this.more.onclick = () => this.loadOlder();
    this.log = make('div', { className: 'log', part: 'log', role: 'log', tabIndex: 0, 'aria-live': 'off', 'aria-label': words.conversation }, this.more, this.list);
    this.log.onscroll = () => this.onScroll();
    this.composer = new Composer({
      ...{ words, onProblem: onError, connection: () => connection },
      send: (body, files) => {
        connection.live?.presence.typingSender.stop();
        connection.live?.store.send(id, body, files.length ? { files } : {});
        this.stuck = true;
      },
      onKey: () => connection.live?.presence.typingSender.keyPressed(id),
    });
    const header = make('header', { part: 'header' }, this.title, this.presence);
    const section = make('section', { 'aria-labelledby': 'title' }, header, this.state, this.log, this.announced, this.typing, this.composer.element);
    section.ondragover = (event) => event.preventDefault();
    section.ondrop = (event) => this.onDrop(event);
    // a constructed sheet is allowed by every Content-Security-Policy
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    root.adoptedStyleSheets = [sheet];
    root.replaceChildren(section);
    this.sight = new IntersectionObserver(([entry]) => {
      this.onScreen = entry?.isIntersecting ?? false;
      this.markRead();
    });
    this.sight.observe(this.log);
    this.resizes.observe(this.list);
    const { signal } = this.ending;
    addEventListener('focus', () => this.markRead(), { signal });
    document.addEventListener('visibilitychange', () => this.markRead(), { signal });
  }

  /** The user, or null until they are known. */
  get me(): Id | null {
    return this.live?.store.view.me.id ?? null;
  }

  stop(): void {
    this.ending.abort();
    this.unwatch();
    this.watch([]);
    this.composer.stop();
    this.resizes.disconnect();
    this.sight.disconnect();
  }

  /** Show the present state. */
  show(): void {
    const { connection, words, id } = this.options;
    if (connection.live !== this.live) this.follow(connection.live);
    const view = this.live?.store.view;
    const conversation = view?.conversations.get(id);
    this.showState(view, conversation);
    this.title.textContent = conversation && view ? titleOf(conversation, view, words) : words.conversation;
    this.composer.element.hidden = !conversation || !canWrite(conversation);
    if (view && conversation) this.showMessages(view, conversation);
    else if (view?.loaded) this.look();
    this.showPresence(view, conversation);
  }

  /** Tell screen readers about a message. */
  announce(message: Message): void {
    if (message.thread !== undefined) return;
    const author = this.live?.store.view.users.get(message.author);
    this.announced.textContent = `${nameOf(author, this.options.words)}: ${message.body.slice(0, 500)}`;
  }

  /** Show what this user may see. Watch who of the conversation is online. */
  private follow(live: Live | null): void {
    this.unwatch();
    this.watch([]);
    this.rows.clear();
    [this.live, this.found, this.failedIn, this.loading, this.stuck] = [live, null, null, false, true];
    this.unwatch = live?.presence.watch('conversations', this.options.id) ?? (() => undefined);
  }

  private showState(view: View | undefined, conversation: Conversation | undefined): void {
    const { connection, words } = this.options;
    const { name } = view?.connection ?? {};
    let text = '';
    if (connection.refused || name === 'refused') text = words.loggedOut;
    else if (name === 'offline') text = words.offline;
    else if (!view?.loaded) text = words.connecting;
    else if (!conversation && this.found === 'missing') text = words.notFound;
    else if (!conversation && this.found) text = words.notJoined;
    else if (conversation && !canWrite(conversation)) text = words.readOnly;
    if (this.state.dataset['text'] === text) return;
    this.state.dataset['text'] = text;
    this.state.replaceChildren(text);
    if (text === words.notJoined) this.state.append(' ', make('button', { type: 'button', onclick: () => this.join() }, words.join));
  }

  private showMessages(view: View, conversation: Conversation): void {
    const { id, connection, words, language, onError } = this.options;
    const timeline = view.timelines.get(id);
    if (!timeline) return void this.load((store) => store.pages.open(id));
    const { log } = this;
    const [top, height] = [log.scrollTop, log.scrollHeight];
    const first = this.list.firstElementChild;
    const outgoing = view.outgoing.filter((one) => one.conversation === id && !one.thread);
    const context = { connection, words, language, writable: !conversation.archived, onProblem: onError };
    this.rows.show(timeline.messages, timeline.hasAfter ? [] : outgoing, view, context);
    this.more.hidden = !timeline.hasBefore;
    if (this.stuck) this.toEnd();
    // older messages above must not move those in view
    else if (first !== this.list.firstElementChild) log.scrollTop = top + log.scrollHeight - height;
    for (const { clientId, state, problem } of outgoing)
      if (state === 'failed' && !this.reported.has(clientId) && this.reported.add(clientId)) onError(problem);
    this.markRead();
  }

  private showPresence(view: View | undefined, conversation: Conversation | undefined): void {
    const { words, id } = this.options;
    const seen = this.live?.presence.view;
    const typing = seen?.typing.get(id) ?? [];
    this.live?.store.loadUsers(typing);
    setText(this.typing, typing.length ? words.typing(typing.map((one) => nameOf(view?.users.get(one), words))) : '');
    const others = (conversation?.members ?? []).filter((one) => one !== this.me);
    this.watch(others.slice(0, MOST_MEMBERS));
    const statuses = others.map((one) => seen?.people.get(one)?.status ?? 'offline');
    const online = statuses.filter((one) => one !== 'offline').length;
    const known = seen?.socket.name === 'open' && !seen.degraded;
    if (!known) setText(this.presence, '');
    else if (conversation?.kind !== 'direct') setText(this.presence, others.length ? words.onlineCount(online) : '');
    else setText(this.presence, { online: words.online, away: words.away, dnd: words.dnd }[statuses[0] as string] ?? words.offlineStatus);
  }

  /** Watch these users, and no others. */
  private watch(users: Id[]): void {
    for (const [id, end] of this.members) if (!users.includes(id) && this.members.delete(id)) end();
    for (const id of users)
      if (this.live && !this.members.has(id)) this.members.set(id, this.live.presence.watch('users', id));
  }

  /** Find out why the conversation is not among those of the user. */
  private look(): void {
    const { id } = this.options;
    if (this.found) return;
    void this.load(async (store) => {
      this.found = await store.loadConversation(id).catch((error: unknown) => {
        if ((error as { status?: number }).status === 404) this.found = 'missing';
        throw error;
      });
    });
  }

  private join(): void {
    void this.load(async (store) => void (await store.join(this.options.id)));
  }

  private loadOlder(): void {
    if (this.live?.store.view.timelines.get(this.options.id)?.hasBefore)
      void this.load((store) => store.pages.older(this.options.id));
  }

  /** Load something, unless it is being loaded or has just failed. */
  private async load(what: (store: Live['store']) => Promise<void>): Promise<void> {
    const { live } = this;
    const state = live?.store.view.connection;
    if (!live || this.loading || (state === this.failedIn && state !== undefined)) return;
    this.loading = true;
    try {
      await what(live.store);
      this.failedIn = null;
    } catch (error) {
      this.failedIn = state;
      this.options.onError(error);
    }
    this.loading = false;
    if (!this.ending.signal.aborted) this.show();
  }

  private onScroll(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    this.stuck = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (scrollTop < NEAR_BEGINNING && !this.stuck) this.loadOlder();
    this.markRead();
  }

  private toEnd(): void {
    this.log.scrollTop = this.log.scrollHeight;
  }

  /** Mark the conversation as read while its end is on the screen of a user who is here. */
  private markRead(): void {
    const { id } = this.options;
    const conversation = this.live?.store.view.conversations.get(id);
    const here = this.onScreen && document.visibilityState === 'visible' && document.hasFocus();
    if (here && this.stuck && conversation?.unread) this.live?.store.markRead(id, conversation.last_seq);
  }

  private onDrop(event: DragEvent): void {
    event.preventDefault();
    if (!this.composer.element.hidden) this.composer.attach([...(event.dataTransfer?.files ?? [])]);
  }
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function canWrite({ archived, read_only, role }: Conversation): boolean {
  return !archived && (!read_only || role === 'owner' || role === 'admin');
}

/** Return the conversation's name, or the names of its other members. */
function titleOf(conversation: Conversation, view: View, words: Words): string {
  if (conversation.name) return conversation.name;
  const others = (conversation.members ?? []).filter((one) => one !== view.me.id);
  const users: (User | undefined)[] = others.map((one) => view.users.get(one));
  return users.map((one) => nameOf(one, words)).join(', ') || words.conversation;
}
