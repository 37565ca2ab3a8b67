/** The API calls of the dashboard, which only admins may make. */
import { type Announcement, type Api, type Evidence, type Id, type Login, Upload, type UploadState, type User } from '../../client';
import type {
  Audit,
  Import,
  Imports,
  KeyForm,
  Keys,
  NewKey,
  PeoplePage,
  Reaped,
  ResetLink,
  Rooms,
  SignOnState,
  StartRequest,
  Stats,
  SubscriptionPage,
  TeamFigures,
  UndoPreview,
} from '../../client/schema';

export type { AuditRow, Device, Evidence, Import, ImportReport, PeoplePage, Present, Room } from '../../client/schema';

export interface PeopleQuery {
  q: string;
  status: string;
  node: string;
  after: string;
  limit: number;
}

const PRESENCE = '/api/presence';

export class Calls {
  constructor(private readonly api: Api) {}

  history(minutes: number): Promise<Stats> {
    return this.api.call('GET', `${PRESENCE}/stats?minutes=${minutes}`);
  }

  teamFigures(): Promise<TeamFigures> {
    return this.api.call('GET', '/api/team/figures');
  }

  people(query: PeopleQuery): Promise<PeoplePage> {
    return this.api.call('GET', `${PRESENCE}/people?${search({ ...query })}`);
  }

  rooms(q: string): Promise<Rooms> {
    return this.api.call('GET', `${PRESENCE}/rooms?${search({ q, limit: 12 })}`);
  }

  evidence(user: Id): Promise<Evidence> {
    return this.api.call('GET', `${PRESENCE}/evidence/${user}`);
  }

  user(id: Id): Promise<User> {
    return this.api.call('GET', `/api/users/${id}`);
  }

  reconcile(): Promise<Reaped> {
    return this.api.call('POST', `${PRESENCE}/reconcile`);
  }

  drain(node: string, draining: boolean): Promise<void> {
    return this.api.call('PUT', `${PRESENCE}/nodes/${encodeURIComponent(node)}/drain`, { draining });
  }

  endSession(user: Id, which: Login['id'] | 'all'): Promise<void> {
    return this.api.call('DELETE', `/api/users/${user}/sessions/${which}`);
  }

  disable(user: Id, disabled: boolean): Promise<void> {
    return this.api.call('PUT', `/api/users/${user}/disabled`, { disabled });
  }

  announce(body: string): Promise<void> {
    return this.api.call('PUT', '/api/announcement', { body });
  }

  withdrawAnnouncement(): Promise<void> {
    return this.api.call('DELETE', '/api/announcement');
  }

  announcement(): Promise<Announcement | null> {
    return this.api.announcement();
  }

  giveRole(user: Id, role: 'admin' | 'member'): Promise<void> {
    return this.api.call('PUT', `/api/users/${user}/role`, { role });
  }

  /** Create a link with which the user sets a new password. The server returns it only once. */
  async makeReset(user: Id, alsoFactors: boolean): Promise<string> {
    const form = { also_second_factors: alsoFactors };
    return location.origin + (await this.api.call<ResetLink>('POST', `/api/users/${user}/reset`, form)).path;
  }

  audit(query: { action: string; user: Id; since: string; after?: number }): Promise<Audit> {
    const { after, ...rest } = query;
    return this.api.call('GET', `/api/audit?${search({ ...rest, limit: 50, ...(after && { after }) })}`);
  }

  imports(after?: Id): Promise<Imports> {
    return this.api.call('GET', `/api/imports${after ? `?after=${after}` : ''}`);
  }

  import(id: Id): Promise<Import> {
    return this.api.call('GET', `/api/imports/${id}`);
  }

  /** Upload a file for an import. `checkImport` takes its id. */
  upload(source: File, onChange: (state: UploadState) => void): Upload {
    return new Upload({ api: this.api, source, name: source.name, purpose: 'import', onChange });
  }

  checkImport(file: Id): Promise<Import> {
    return this.api.call('POST', '/api/imports', { file });
  }

  startImport(id: Id, choice: StartRequest): Promise<Import> {
    return this.api.call('POST', `/api/imports/${id}/start`, choice);
  }

  stopImport(id: Id): Promise<Import> {
    return this.api.call('POST', `/api/imports/${id}/stop`);
  }

  undoPreview(id: Id): Promise<UndoPreview> {
    return this.api.call('GET', `/api/imports/${id}/undo`);
  }

  undoImport(id: Id): Promise<Import> {
    return this.api.call('POST', `/api/imports/${id}/undo`);
  }

  removeImport(id: Id): Promise<void> {
    return this.api.call('DELETE', `/api/imports/${id}`);
  }

  signOnState(): Promise<SignOnState> {
    return this.api.call('GET', '/api/sign-on/state');
  }

  subscriptions(after = ''): Promise<SubscriptionPage> {
    return this.api.call('GET', `/api/subscriptions?${search({ after })}`);
  }

  keys(before?: Id): Promise<Keys> {
    return this.api.call('GET', `/api/keys${before ? `?before=${before}` : ''}`);
  }

  makeKey(form: KeyForm): Promise<NewKey> {
    return this.api.call('POST', '/api/keys', form);
  }

  revokeKey(id: Id): Promise<void> {
    return this.api.call('DELETE', `/api/keys/${id}`);
  }

  /** Return the channels and groups with a name that the admin can see, by name. */
  async places(): Promise<{ id: Id; name: string }[]> {
    const [{ conversations }, { channels }] = await Promise.all([this.api.conversations(), this.api.channels('')]);
    const named = new Map([...channels, ...conversations].filter(({ name }) => name).map(({ id, name }) => [id, name]));
    return [...named].map(([id, name]) => ({ id, name })).sort((a, b) => a.name.localeCompare(b.name));
  }

  users(ids: Id[]): Promise<User[]> {
    return this.api.users(ids);
  }

  find(q: string): Promise<User[]> {
    return this.api.findUsers(q);
  }
}

function search(values: Record<string, string | number>): string {
  const pairs = Object.entries(values).map(([name, value]): [string, string] => [name, String(value)]);
  return new URLSearchParams(pairs.filter(([, value]) => value !== '')).toString();
}
