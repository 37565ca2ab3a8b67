/**
 * `<tandem-chat server conversation token>`: one conversation in any page. It keeps its style to itself, connects while
 * it is in the page, and shares its connection with other elements of the same user.
 */
import type { Entry } from '../entry';
import { asProblem, type Problem } from '../problem';
import type { Id, Message } from '../types';
import { ChatView } from './chat-view';
import { type Connection, connectionOf, type Token } from './connection';
import { type Words, wordsIn } from './words';

/** The `detail` of `tandem-message`: a message that has just been posted, by this user or another. */
export interface TandemMessage {
  message: Message;
  /** The message is of the user of this element. */
  own: boolean;
}

/** The `detail` of `tandem-error`: `code` and `status` are those of the server, or `status` is 0. */
export type TandemError = Pick<Problem, 'code' | 'status' | 'detail'>;

// a server that renders pages imports this module too, and has no elements
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

export class TandemChat extends Base {
  static readonly observedAttributes = ['server', 'conversation', 'token', 'lang'];

  private givenToken: Token = null;
  private givenWords: Partial<Words> = {};
  private connection: Connection | null = null;
  private shownAs = '';
  private scheduled = false;
  private leave: () => void = () => undefined;
  private view: ChatView | null = null;

  /** A bearer token or JSON Web Token, or a function that returns a new one: it is called again before one expires. */
  get token(): Token {
    return this.givenToken ?? this.getAttribute('token');
  }

  set token(token: Token) {
    this.givenToken = token;
    this.schedule();
  }

  /** Texts to show instead of the built-in ones. */
  get words(): Partial<Words> {
    return this.givenWords;
  }

  set words(words: Partial<Words>) {
    this.givenWords = words;
    this.shownAs = '';
    this.schedule();
  }

  connectedCallback(): void {
    // a page may set properties before this class is known: they hide the accessors until they are set again
    for (const name of ['token', 'words'] as const) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete (this as Partial<this>)[name];
      Object.assign(this, { [name]: value });
    }
    this.schedule();
  }

  disconnectedCallback(): void {
    this.schedule();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after) return;
    if (name === 'token' && typeof this.givenToken === 'string') this.givenToken = null;
    this.schedule();
  }

  /** Apply all changes of this moment at once. An element that is moved in the page keeps its connection. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.apply();
    });
  }

  private apply(): void {
    const [server, id, language] = [this.server, this.conversation, this.language];
    const connection = this.isConnected && id !== null ? connectionOf(server, this.token) : null;
    const shownAs = connection ? `${server} ${id} ${language}` : '';
    if (connection === this.connection && shownAs === this.shownAs) return;
    const leave = this.leave;
    this.view?.stop();
    [this.view, this.leave, this.connection, this.shownAs] = [null, () => undefined, connection, shownAs];
    if (connection && id !== null) this.open(connection, id, language);
    else if (this.isConnected) this.report({ code: 'no_conversation', status: 0, detail: 'The attribute "conversation" must be a number.' });
    // last, so that a connection that is still used goes on
    leave();
  }

  private open(connection: Connection, id: Id, language: string): void {
    const words = { ...wordsIn(language), ...this.givenWords };
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open', delegatesFocus: true });
    const onError = (error: unknown) => this.report(asProblem(error));
    const view = new ChatView({ root, connection, id, words, language, onError });
    this.view = view;
    this.leave = connection.add({
      onChange: () => view.show(),
      onEntry: (entry) => this.receive(entry, id, view),
      onProblem: (problem) => this.report(problem),
    });
    view.show();
  }

  private receive(entry: Entry, id: Id, view: ChatView): void {
    if (entry.event !== 'message' || entry.data.conversation !== id) return;
    const own = entry.data.author === view.me;
    if (!own) view.announce(entry.data);
    this.emit('tandem-message', { message: entry.data, own } satisfies TandemMessage);
  }

  private report({ code, status, detail }: TandemError): void {
    this.emit('tandem-error', { code, status, detail } satisfies TandemError);
  }

  private emit(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  private get server(): string {
    return (this.getAttribute('server') ?? '').replace(/\/+$/, '');
  }

  private get conversation(): Id | null {
    const text = this.getAttribute('conversation') ?? '';
    return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
  }

  private get language(): string {
    const found = this.closest('[lang]')?.getAttribute('lang') || navigator.language;
    try {
      return Intl.getCanonicalLocales(found)[0] ?? 'en';
    } catch {
      return 'en';
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'tandem-chat': TandemChat;
  }
  interface HTMLElementEventMap {
    'tandem-message': CustomEvent<TandemMessage>;
    'tandem-error': CustomEvent<TandemError>;
  }
}

if (globalThis.customElements && !customElements.get('tandem-chat')) customElements.define('tandem-chat', TandemChat);
