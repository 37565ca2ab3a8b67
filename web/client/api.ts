/** The calls of the HTTP API, typed. Every failure is a `Problem`. */
import { problemOf, unreachable } from './problem';
import type {
  Announcement,
  Channel,
  Conversation,
  ConversationDraft,
  FollowedThread,
  Id,
  Login,
  Member,
  Message,
  Notifications,
  Page,
  Pin,
  Profile,
  Receipt,
  References,
  SignedIn,
  Snapshot,
  User,
} from './types';

export interface ApiOptions {
  /** Where the server is; empty for the page's own origin. */
  base?: string;
  /** A bearer token, where no cookie travels. */
  token?: string;
  /** Milliseconds after which a call counts as unreachable. */
  timeout?: number;
}

export type Where = { before: number } | { after: number } | { around: number } | Record<string, never>;

/** One client of one server, as one person. */
export class Api {
  readonly base: string;
  readonly token: string | undefined;
  private readonly timeout: number;

  constructor(options: ApiOptions = {}) {
    this.base = options.base ?? '';
    this.token = options.token;
    this.timeout = options.timeout ?? 20_000;
  }

  /** `invite` is the code of an invitation, where the server asks for one. */
  signUp(form: {
    name: string;
    password: string;
    display_name?: string;
    device?: string;
    invite?: string;
  }): Promise<SignedIn> {
    return this.call('POST', '/api/accounts', form);
  }

  logIn(name: string, password: string, device?: string): Promise<SignedIn> {
    return this.call('POST', '/api/sessions', { name, password, ...(device && { device }) });
  }

  logOut(): Promise<void> {
    return this.call('DELETE', '/api/sessions/current');
  }

  async sessions(): Promise<Login[]> {
    return (await this.call<{ sessions: Login[] }>('GET', '/api/sessions')).sessions;
  }

  /** Ends one login, or all but this one. */
  endLogin(which: Login['id'] | 'others'): Promise<void> {
    return this.call('DELETE', `/api/sessions/${which}`);
  }

  /** Opens one presence socket where no cookie travels. */
  async presenceTicket(): Promise<string> {
    return (await this.call<{ ticket: string }>('POST', '/api/presence/ticket')).ticket;
  }

  me(): Promise<User> {
    return this.call('GET', '/api/users/me');
  }

  changeProfile(profile: Profile): Promise<User> {
    return this.call('PATCH', '/api/users/me', profile);
  }

  async users(ids: Id[]): Promise<User[]> {
    return (await this.call<{ users: User[] }>('GET', `/api/users${query({ ids: ids.join(',') })}`)).users;
  }

  async findUsers(q: string): Promise<User[]> {
    return (await this.call<{ users: User[] }>('GET', `/api/users${query({ q })}`)).users;
  }

  conversations(): Promise<Snapshot> {
    return this.call('GET', '/api/chat/conversations');
  }

  conversation(id: Id): Promise<Conversation> {
    return this.call('GET', `/api/chat/conversations/${id}`);
  }

  createConversation(draft: ConversationDraft): Promise<Conversation> {
    return this.call('POST', '/api/chat/conversations', draft);
  }

  async channels(q: string): Promise<Channel[]> {
    return (await this.call<{ channels: Channel[] }>('GET', `/api/chat/channels${query({ q })}`)).channels;
  }

  members(conversation: Id, after?: Id): Promise<{ members: Member[]; next?: Id | null }> {
    return this.call('GET', `/api/chat/conversations/${conversation}/members${query({ after })}`);
  }

  join(conversation: Id): Promise<void> {
    return this.call('PUT', `/api/chat/conversations/${conversation}/members/me`, {});
  }

  add(conversation: Id, user: Id): Promise<void> {
    return this.call('PUT', `/api/chat/conversations/${conversation}/members/${user}`, {});
  }

  leave(conversation: Id): Promise<void> {
    return this.call('DELETE', `/api/chat/conversations/${conversation}/members/me`);
  }

  messages(conversation: Id, where: Where = {}, limit = 50): Promise<Page> {
    return this.call('GET', `/api/chat/conversations/${conversation}/messages${query({ ...where, limit })}`);
  }

  async message(conversation: Id, seq: number): Promise<Message> {
    return (await this.call<{ message: Message }>('GET', messagePath(conversation, seq))).message;
  }

  async post(conversation: Id, body: string, clientId: string, references: References = {}): Promise<Message> {
    const path = `/api/chat/conversations/${conversation}/messages`;
    const draft = { body, client_id: clientId, ...references };
    return (await this.call<{ message: Message }>('POST', path, draft)).message;
  }

  async edit(conversation: Id, seq: number, body: string): Promise<Message> {
    return (await this.call<{ message: Message }>('PATCH', messagePath(conversation, seq), { body })).message;
  }

  deleteMessage(conversation: Id, seq: number): Promise<void> {
    return this.call('DELETE', messagePath(conversation, seq));
  }

  react(conversation: Id, seq: number, emoji: string, on: boolean): Promise<void> {
    const path = `${messagePath(conversation, seq)}/reactions/${encodeURIComponent(emoji)}`;
    return this.call(on ? 'PUT' : 'DELETE', path);
  }

  async pins(conversation: Id): Promise<Pin[]> {
    return (await this.call<{ pins: Pin[] }>('GET', `/api/chat/conversations/${conversation}/pins`)).pins;
  }

  pin(conversation: Id, seq: number, on: boolean): Promise<void> {
    return this.call(on ? 'PUT' : 'DELETE', `/api/chat/conversations/${conversation}/pins/${seq}`);
  }

  replies(conversation: Id, root: number, where: Where = {}, limit = 50): Promise<Page> {
    return this.call('GET', `${messagePath(conversation, root)}/replies${query({ ...where, limit })}`);
  }

  async threads(): Promise<FollowedThread[]> {
    return (await this.call<{ threads: FollowedThread[] }>('GET', '/api/chat/threads')).threads;
  }

  follow(conversation: Id, root: number, on: boolean): Promise<void> {
    return this.call(on ? 'PUT' : 'DELETE', `${messagePath(conversation, root)}/follow`);
  }

  markThread(conversation: Id, root: number, seq: number): Promise<void> {
    return this.call('PUT', `${messagePath(conversation, root)}/replies/read`, { seq });
  }

  markRead(conversation: Id, seq: number): Promise<void> {
    return this.call('PUT', `/api/chat/conversations/${conversation}/read`, { seq });
  }

  async receipts(conversation: Id): Promise<Receipt[]> {
    const path = `/api/chat/conversations/${conversation}/receipts`;
    return (await this.call<{ receipts: Receipt[] }>('GET', path)).receipts;
  }

  /** What is not named stays; a `muted_until` of null ends the mute. */
  notify(conversation: Id, what: Partial<Notifications>): Promise<Notifications> {
    return this.call('PUT', `/api/chat/conversations/${conversation}/notifications`, what);
  }

  /** What stands above all conversations, if anything. */
  async announcement(): Promise<Announcement | null> {
    return (await this.call<{ announcement: Announcement | null }>('GET', '/api/announcement')).announcement;
  }

  block(user: Id, on: boolean): Promise<void> {
    return this.call(on ? 'PUT' : 'DELETE', `/api/users/${user}/block`);
  }

  /** Headers that say who is asking; without a token the cookie does. */
  identity(): Record<string, string> {
    return this.token ? { Authorization: `Bearer ${this.token}` } : {};
  }

  /** Any call that has no name here, those of admins for instance. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.base + path, {
      method,
      headers: {
        ...this.identity(),
        Accept: 'application/json',
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      signal: AbortSignal.timeout(this.timeout),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch(() => {
      throw unreachable();
    });
    if (!response.ok) throw await problemOf(response);
    if (response.status === 204) return undefined as T;
    return (await response.json().catch(() => {
      throw unreachable();
    })) as T;
  }
}

function messagePath(conversation: Id, seq: number): string {
  return `/api/chat/conversations/${conversation}/messages/${seq}`;
}

function query(values: Record<string, string | number | undefined>): string {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined && value !== '');
  const search = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]));
  return pairs.length ? `?${search}` : '';
}
