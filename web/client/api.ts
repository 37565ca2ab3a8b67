/** The calls of the HTTP API, typed. Every failure is thrown as a `Problem`. */
import { fetchWithCredentials, replaceCredentials } from './credentials';
import { messagePath, query } from './paths';
import { type Problem, problemOf, unreachable } from './problem';
import type * as schema from './schema';
import type {
  Announcement,
  Archive,
  Channels,
  Conversation,
  ConversationChange,
  ConversationDraft,
  Ending,
  Id,
  Login,
  Members,
  Message,
  NewConversation,
  NotificationChange,
  Notifications,
  Page,
  Pin,
  Profile,
  Receipt,
  References,
  Role,
  SentFile,
  SignedIn,
  Snapshot,
  User,
} from './types';

export interface ApiOptions {
  /** The server's address; empty for the page's own origin. */
  base?: string;
  /** A bearer token, for clients without cookies. */
  token?: string;
  /** For whom an API key with the scope `act-as` acts: a user's id, or like `ext:u-17`. */
  user?: string;
  /** Milliseconds until a call without an answer fails as unreachable. */
  timeout?: number;
  /** Ask the user to confirm their identity for a sensitive change. Return false if they decline. */
  reauthenticate?: () => Promise<boolean>;
}

export type Where = { before: number } | { after: number } | { around: number } | Record<string, never>;

const PASSWORD = '/api/users/me/password';

/** A client of one server, for one user. */
export class Api {
  readonly base: string;
  /** Replaced by `changePassword`. */
  token: string | undefined;
  /** True after an answer that a service worker had kept. What was loaded may be old. */
  copied = false;
  private readonly user: string;
  private readonly timeout: number;
  private readonly reauthenticate: () => Promise<boolean>;

  constructor(options: ApiOptions = {}) {
    this.base = options.base ?? '';
    this.token = options.token;
    this.user = options.user ?? '';
    this.timeout = options.timeout ?? 20_000;
    this.reauthenticate = options.reauthenticate ?? (() => Promise.resolve(false));
  }

  /** Create an account. The form's `invite` is an invite code, for servers that require one. */
  signUp(form: schema.SignUp): Promise<SignedIn> {
    return this.call('POST', '/api/accounts', form);
  }

  logIn(name: string, password: string, device?: string): Promise<SignedIn> {
    return this.call('POST', '/api/sessions', { name, password, ...(device && { device }) });
  }

  /** Return how users log in to this server. */
  signOn(): Promise<schema.SignOn> {
    return this.call('GET', '/api/sign-on');
  }

  /** Exchange a JSON Web Token of another application for a session, which the cookie of the answer keeps. */
  exchange(jwt: string): Promise<SignedIn> {
    return this.call('POST', '/api/sessions', { jwt });
  }

  logOut(): Promise<void> {
    return this.call('DELETE', '/api/sessions/current');
  }

  /** Return the user's sessions, and the largest number of sessions they can have. */
  sessions(): Promise<schema.Logins> {
    return this.call('GET', '/api/sessions');
  }

  /** End one session, or all sessions except this one. */
  endSession(which: Login['id'] | 'others'): Promise<void> {
    return this.call('DELETE', `/api/sessions/${which}`);
  }

  /** Return a ticket that opens one presence socket, for clients without cookies. */
  async presenceTicket(): Promise<string> {
    return (await this.call<schema.Ticket>('POST', '/api/presence/ticket')).ticket;
  }

  me(): Promise<User> {
    return this.call('GET', '/api/users/me');
  }

  changeProfile(profile: Profile): Promise<User> {
    return this.call('PATCH', '/api/users/me', profile);
  }

  /** Change the password and end all other sessions. This session continues with a new token. */
  async changePassword(old: string, fresh: string): Promise<void> {
    await replaceCredentials(async () => {
      const { token } = await this.call<schema.Renewed>('PUT', PASSWORD, { old, new: fresh });
      if (this.token !== undefined && token) this.token = token;
    });
  }

  /** Set a password with the secret from a reset link. All sessions of the account end. */
  resetPassword(token: string, fresh: string): Promise<void> {
    return this.call('POST', '/api/resets', { token, new: fresh });
  }

  /** Delete this account. Its messages are kept or emptied. */
  deleteAccount(messages: 'keep' | 'erase'): Promise<void> {
    return this.call('DELETE', `/api/users/me${query({ messages })}`);
  }

  /** Return the account's own security events, newest first; `after` continues below an event. */
  activity(after?: number, limit?: number): Promise<schema.Activity> {
    return this.call('GET', `/api/users/me/activity${query({ after, limit })}`);
  }

  async users(ids: Id[]): Promise<User[]> {
    return (await this.call<schema.Users>('GET', `/api/users${query({ ids: ids.join(',') })}`)).users;
  }

  async findUsers(q: string): Promise<User[]> {
    return (await this.call<schema.Users>('GET', `/api/users${query({ q })}`)).users;
  }

  conversations(): Promise<Snapshot> {
    return this.call('GET', '/api/chat/conversations');
  }

  conversation(id: Id): Promise<Conversation> {
    return this.call('GET', `/api/chat/conversations/${id}`);
  }

  createConversation(draft: ConversationDraft): Promise<NewConversation> {
    return this.call('POST', '/api/chat/conversations', draft);
  }

  acceptInvitation(conversation: Id): Promise<Conversation> {
    return this.call('POST', `/api/chat/invitations/${conversation}/accept`, {});
  }

  declineInvitation(conversation: Id): Promise<void> {
    return this.call('DELETE', `/api/chat/invitations/${conversation}`);
  }

  /** Return public channels by name, starting after the name `after`. */
  channels(q: string, after?: string): Promise<Channels> {
    return this.call('GET', `/api/chat/channels${query({ q, after })}`);
  }

  /** Return the archived conversations of this user, with ids below `before`. */
  archived(before?: Id): Promise<Archive> {
    return this.call('GET', `/api/chat/archived${query({ before })}`);
  }

  /** Change a conversation. Fields that are left out keep their value. */
  changeConversation(id: Id, change: ConversationChange): Promise<Conversation> {
    return this.call('PATCH', `/api/chat/conversations/${id}`, change);
  }

  members(conversation: Id, after?: Id): Promise<Members> {
    return this.call('GET', `/api/chat/conversations/${conversation}/members${query({ after })}`);
  }

  join(conversation: Id): Promise<void> {
    return this.call('PUT', `/api/chat/conversations/${conversation}/members/me`, {});
  }

  /** Add a user. Return false if they were invited and have to accept first. */
  async add(conversation: Id, user: Id): Promise<boolean> {
    const path = `/api/chat/conversations/${conversation}/members/${user}`;
    return (await this.call<schema.Seated>('PUT', path, {})).role !== null;
  }

  setRole(conversation: Id, user: Id, role: Role): Promise<void> {
    return this.call('PUT', `/api/chat/conversations/${conversation}/members/${user}`, { role });
  }

  /** Remove a member. They can join again. */
  remove(conversation: Id, user: Id | 'me'): Promise<void> {
    return this.call('DELETE', `/api/chat/conversations/${conversation}/members/${user}`);
  }

  leave(conversation: Id): Promise<void> {
    return this.remove(conversation, 'me');
  }

  /** Return a page of the history. `type`: only messages of this type. */
  messages(conversation: Id, where: Where = {}, limit = 50, type?: string): Promise<Page> {
    return this.call('GET', `/api/chat/conversations/${conversation}/messages${query({ ...where, limit, type })}`);
  }

  async message(conversation: Id, seq: number): Promise<Message> {
    return (await this.call<schema.Posted>('GET', messagePath(conversation, seq))).message;
  }

  async post(conversation: Id, body: string, clientId: string, references: References = {}): Promise<Message> {
    const path = `/api/chat/conversations/${conversation}/messages`;
    const { files, ...rest } = references;
    const carried = files?.length ? { files: files.map((file) => file.id) } : {};
    const draft: schema.Draft = { body, client_id: clientId, ...rest, ...carried };
    return (await this.call<schema.Posted>('POST', path, draft)).message;
  }

  /**
   * Post a message whose text is appended while others read it. `streamMessage` does all of it: post, append, finish.
   */
  async beginStreaming(conversation: Id, clientId: string, references: References = {}): Promise<Message> {
    const { files, ...rest } = references;
    const carried = files?.length ? { files: files.map((file) => file.id) } : {};
    const draft: schema.Draft = { body: '', client_id: clientId, streaming: true, ...rest, ...carried };
    const path = `/api/chat/conversations/${conversation}/messages`;
    return (await this.call<schema.Posted>('POST', path, draft)).message;
  }

  /** Append text at an offset in code points. Return the length of the text. Text that is already there changes nothing. */
  async append(conversation: Id, seq: number, at: number, text: string): Promise<number> {
    const path = `${messagePath(conversation, seq)}/append`;
    return (await this.call<schema.Appended>('POST', path, { at, text })).length;
  }

  /** End a streamed message. */
  async finish(conversation: Id, seq: number, state: Ending, data?: Record<string, unknown>): Promise<Message> {
    const ending = { state, ...(data && { data }) };
    return (await this.call<schema.Posted>('POST', `${messagePath(conversation, seq)}/finish`, ending)).message;
  }

  /** Ask the author of a streamed message to stop. */
  async stop(conversation: Id, seq: number): Promise<void> {
    await this.ask('POST', `${messagePath(conversation, seq)}/stop`);
  }

  /** Edit a message. `files` lists the files to keep; without it all files are kept. `data`: null removes it. */
  async edit(conversation: Id, seq: number, body: string, files?: Id[], data?: Record<string, unknown> | null): Promise<Message> {
    const correction: schema.Correction = { body, ...(files && { files }), ...(data !== undefined && { data }) };
    return (await this.call<schema.Posted>('PATCH', messagePath(conversation, seq), correction)).message;
  }

  /** Delete a message. `undo`: its author takes it back, which leaves no trace if nobody has read it yet. */
  deleteMessage(conversation: Id, seq: number, undo = false): Promise<void> {
    return this.call('DELETE', `${messagePath(conversation, seq)}${undo ? '?undo=1' : ''}`);
  }

  react(conversation: Id, seq: number, emoji: string, on: boolean): Promise<void> {
    const path = `${messagePath(conversation, seq)}/reactions/${encodeURIComponent(emoji)}`;
    return this.call(on ? 'PUT' : 'DELETE', path);
  }

  async pins(conversation: Id): Promise<Pin[]> {
    return (await this.call<schema.Pins>('GET', `/api/chat/conversations/${conversation}/pins`)).pins;
  }

  pin(conversation: Id, seq: number, on: boolean): Promise<void> {
    return this.call(on ? 'PUT' : 'DELETE', `/api/chat/conversations/${conversation}/pins/${seq}`);
  }

  replies(conversation: Id, root: number, where: Where = {}, limit = 50): Promise<Page> {
    return this.call('GET', `${messagePath(conversation, root)}/replies${query({ ...where, limit })}`);
  }

  threads(): Promise<schema.Threads> {
    return this.call('GET', '/api/chat/threads');
  }

  follow(conversation: Id, root: number, on: boolean): Promise<void> {
    return this.call(on ? 'PUT' : 'DELETE', `${messagePath(conversation, root)}/follow`);
  }

  markThread(conversation: Id, root: number, seq: number): Promise<void> {
    return this.call('PUT', `${messagePath(conversation, root)}/replies/read`, { seq });
  }

  /** Mark everything up to `seq` as read. `unread` as in `ReadRequest`: what the user asked for. */
  markRead(conversation: Id, seq: number, unread?: boolean): Promise<void> {
    return this.call('PUT', `/api/chat/conversations/${conversation}/read`, { seq, ...(unread !== undefined && { unread }) });
  }

  async receipts(conversation: Id): Promise<Receipt[]> {
    const path = `/api/chat/conversations/${conversation}/receipts`;
    return (await this.call<schema.Receipts>('GET', path)).receipts;
  }

  /** Change notification settings. Fields that are left out keep their value; a `muted_until` of null ends the mute. */
  notify(conversation: Id, what: NotificationChange): Promise<Notifications> {
    return this.call('PUT', `/api/chat/conversations/${conversation}/notifications`, what);
  }

  /** Return the announcement shown above all conversations, or null. */
  async announcement(): Promise<Announcement | null> {
    return (await this.call<schema.Announced>('GET', '/api/announcement')).announcement;
  }

  block(user: Id, on: boolean): Promise<void> {
    return this.call(on ? 'PUT' : 'DELETE', `/api/users/${user}/block`);
  }

  /** Reserve space for a file of `size` bytes and return its id. Its chunks go to `/api/files/{id}`. */
  async beginUpload(name: string, size: number, purpose?: 'import'): Promise<Id> {
    const metadata = `filename ${base64(name)}${purpose ? `,purpose ${base64(purpose)}` : ''}`;
    const headers = { 'Upload-Length': String(size), 'Upload-Metadata': metadata };
    return (await this.call<schema.Stored>('POST', '/api/files', undefined, headers)).file.id;
  }

  /** Return how many bytes of the file the server has. */
  async uploadOffset(id: Id): Promise<number> {
    const response = await this.ask('HEAD', `/api/files/${id}`);
    return Number(response.headers.get('Upload-Offset'));
  }

  async sentFile(id: Id): Promise<SentFile> {
    return (await this.call<schema.Stored>('GET', `/api/files/${id}`)).file;
  }

  cancelUpload(id: Id): Promise<void> {
    return this.call('DELETE', `/api/files/${id}`);
  }

  /** Return the URL of a file, or of a small version of a picture. */
  fileUrl({ id, name }: SentFile, preview?: 'small' | 'large'): string {
    return `${this.base}/api/files/${id}/${encodeURIComponent(name)}${query({ preview })}`;
  }

  /** Set the user's avatar, which the server crops to a square; null shows initials instead. */
  setAvatar(picture: Blob | null): Promise<User> {
    const type = { 'Content-Type': 'application/octet-stream' };
    if (!picture) return this.call('DELETE', '/api/users/me/avatar');
    return this.call('PUT', '/api/users/me/avatar', picture, type);
  }

  /** Return the headers that identify the user. Without a token they are empty, and the cookie identifies them. */
  identity(): Record<string, string> {
    return {
      ...(this.token && { Authorization: `Bearer ${this.token}` }),
      ...(this.user && { 'Tandem-User': encodeURIComponent(this.user).replaceAll('%3A', ':') }),
    };
  }

  private async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const request = () => ({
      method,
      headers: {
        ...this.identity(),
        Accept: 'application/json',
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      signal: AbortSignal.timeout(this.timeout),
      ...(body !== undefined && { body: body instanceof Blob ? body : JSON.stringify(body) }),
    });
    const url = this.base + path;
    const response = await (path === PASSWORD ? fetch(url, request()) : fetchWithCredentials(url, request)).catch(() => {
      throw unreachable();
    });
    if (!response.ok) throw await problemOf(response);
    this.copied ||= response.headers.has('Tandem-Copy');
    return response;
  }

  /**
   * Call the API and return its answer, or throw a `Problem`. A call that needs a recent proof of identity is
   * repeated after `reauthenticate` succeeds.
   */
  async call<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
    const response = await this.ask(method, path, body, headers).catch(async (problem: Problem) => {
      if (problem.code !== 'reauthentication_required' || !(await this.reauthenticate())) throw problem;
      return this.ask(method, path, body, headers);
    });
    if (response.status === 204) return undefined as T;
    return (await response.json().catch(() => {
      throw unreachable();
    })) as T;
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
