/** The messages of a conversation as elements. An element is made again only if what it shows has changed. */
import { isUndone } from '../message';
import type { Outgoing } from '../outgoing';
import type { View } from '../store';
import type { Id, Message, SentFile, User } from '../types';
import type { Connection } from './connection';
import { arrange, make } from './dom';
import { piecesOf } from './text';
import type { Words } from './words';

export interface RowsContext {
  connection: Connection;
  words: Words;
  language: string;
  /** Whether reactions can be changed. */
  writable: boolean;
  onProblem(error: unknown): void;
}

interface Row {
  element: HTMLElement;
  /** What the element was made of. */
  from: readonly unknown[];
}

export class Rows {
  private rows = new Map<string, Row>();

  constructor(private readonly list: HTMLElement) {}

  /** Forget all elements, because the language or the user has changed. */
  clear(): void {
    this.rows.clear();
    this.list.replaceChildren();
  }

  show(messages: Message[], outgoing: Outgoing[], view: View, context: RowsContext): void {
    const old = this.rows;
    this.rows = new Map();
    const elements: HTMLElement[] = [];
    const add = (key: string, from: readonly unknown[], build: () => HTMLElement) => {
      const known = old.get(key);
      const row = known && from.every((one, at) => one === known.from[at]) ? known : { element: build(), from };
      this.rows.set(key, row);
      elements.push(row.element);
    };
    messages.forEach((message, at) => {
      if (isUndone(message)) return;
      const author = view.users.get(message.author);
      const head = message.author !== messages[at - 1]?.author || day(message.created_at) !== day(messages[at - 1]?.created_at);
      const from = [message, author, head, context.writable] as const;
      add(`seq ${message.seq}`, from, () => messageRow(message, author, head, view.me.id, context));
    });
    for (const one of outgoing) add(`out ${one.clientId}`, [one.state], () => outgoingRow(one, context));
    // the elements of the list that have the focus keep it: `arrange` moves nothing that is in its place
    arrange(this.list, elements);
  }
}

/** Return a user's name as it is shown. */
export const nameOf = (user: User | undefined, words: Words): string => user?.display_name || user?.name || words.deletedUser;

const day = (at: string | undefined): string => (at === undefined ? '' : new Date(at).toDateString());

function messageRow(message: Message, author: User | undefined, head: boolean, me: Id, context: RowsContext): HTMLElement {
  const { words } = context;
  const mine = message.author === me;
  const label = message.edited_at && !message.deleted ? make('span', { className: 'note' }, ` (${words.edited})`) : null;
  const body = message.deleted
    ? make('p', { className: 'body note', part: 'body' }, words.deleted)
    : make('p', { className: 'body', part: 'body', dir: 'auto' }, ...contents(message.body), label);
  return make(
    'li',
    { className: mine ? 'message mine' : 'message', part: mine ? 'message own-message' : 'message', 'data-seq': message.seq },
    head && heading(message, author, context),
    (message.body !== '' || message.deleted) && body,
    message.type === 'forward' && typeof message.data?.['text'] === 'string' && make('blockquote', { part: 'forwarded', dir: 'auto' }, ...contents(message.data['text'])),
    ...(message.deleted ? [] : (message.files ?? [])).map((file) => fileElement(file, context)),
    reactionsOf(message, me, context),
  );
}

function heading(message: Message, author: User | undefined, { words, language }: RowsContext): HTMLElement {
  const at = new Date(message.created_at);
  const today = at.toDateString() === new Date().toDateString();
  const format = new Intl.DateTimeFormat(language, today ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' });
  const time = make('time', { dateTime: message.created_at }, format.format(at));
  return make('p', { className: 'head' }, make('bdi', { className: 'author', part: 'author' }, nameOf(author, words)), ' ', time);
}

/** Return the text of a message with its links, which open in a new tab that cannot reach this page. */
function contents(body: string): (Node | string)[] {
  return piecesOf(body).map((piece) =>
    typeof piece === 'string'
      ? piece
      : make('a', { href: piece.href, target: '_blank', rel: 'noopener noreferrer nofollow ugc' }, piece.text),
  );
}

function reactionsOf(message: Message, me: Id, { connection, writable, onProblem }: RowsContext): HTMLElement | null {
  if (!message.reactions?.length || message.deleted) return null;
  const buttons = message.reactions.map(({ emoji, users }) => {
    const on = users.includes(me);
    const react = () => connection.live?.store.actions.react(message.conversation, message.seq, emoji, !on).catch(onProblem);
    return make('button', { type: 'button', 'aria-pressed': String(on), disabled: !writable, onclick: react }, `${emoji} ${users.length}`);
  });
  return make('p', { className: 'reactions' }, ...buttons);
}

/** Return a file: a picture by its small version. A press downloads the file. */
function fileElement(file: SentFile, context: RowsContext): HTMLElement {
  const { connection, words, onProblem } = context;
  const name = make('bdi', {}, file.name);
  const button = make('button', { type: 'button', className: 'file', part: 'file', title: words.download }, name);
  button.onclick = () => void connection.load(file).then((blob) => save(blob, file.name)).catch(onProblem);
  if (!file.preview) return button;
  const picture = make('img', { alt: file.name, width: file.width, height: file.height });
  void connection.picture(file).then(
    (url) => {
      picture.src = url;
      button.replaceChildren(picture);
    },
    () => undefined, // its name stays
  );
  return button;
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  make('a', { href: url, download: name }).click();
  // the browser reads the address a moment later
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function outgoingRow(one: Outgoing, { connection, words }: RowsContext): HTMLElement {
  const failed = one.state === 'failed';
  const { store } = connection.live ?? {};
  const button = (text: string, press: () => void) => make('button', { type: 'button', onclick: press }, text);
  return make(
    'li',
    { className: 'message mine', part: 'message own-message' },
    one.body !== '' && make('p', { className: 'body', part: 'body', dir: 'auto' }, one.body),
    ...(one.files ?? []).map((file) => make('p', { className: 'body' }, make('bdi', {}, file.name))),
    make(
      'p',
      { className: failed ? 'note wrong' : 'note', role: failed ? 'alert' : undefined },
      failed ? `${words.notSent} ${one.problem?.detail ?? ''} ` : words.sending,
      failed && button(words.retry, () => store?.retry(one.clientId)),
      failed && ' ',
      failed && button(words.discard, () => store?.discard(one.clientId)),
    ),
  );
}
