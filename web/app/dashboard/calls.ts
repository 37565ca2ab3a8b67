/** The calls that only admins make. */
import type { Announcement, Api, Evidence, Id, Login, Note, User } from '../../client';
import type { Figures, Sample } from './figures';

export type { Device, Evidence } from '../../client';

export interface Present {
  id: Id;
  name: string;
  display_name: string;
  role: string;
  disabled: boolean;
  status: 'online' | 'away' | 'dnd' | 'offline';
  text: string;
  emoji: string;
  devices: number;
  nodes: string[];
  last_active_at: string | null;
}

export interface PeoplePage {
  people: Present[];
  next: string | null;
  looked: number;
}

export interface PeopleQuery {
  q: string;
  status: string;
  node: string;
  after: string;
  limit: number;
}

export interface Room {
  id: Id;
  kind: 'channel' | 'group';
  name: string | null;
  here: number;
}

/** As in one conversation, and where it was done from. */
export interface AuditRow extends Note {
  address: string | null;
}

const PRESENCE = '/api/presence';

export class Calls {
  constructor(private readonly api: Api) {}

  history(minutes: number): Promise<Figures & { history: Sample[] }> {
    return this.api.call('GET', `${PRESENCE}/stats?minutes=${minutes}`);
  }

  people(query: PeopleQuery): Promise<PeoplePage> {
    return this.api.call('GET', `${PRESENCE}/people?${search({ ...query })}`);
  }

  rooms(q: string): Promise<{ rooms: Room[]; counted: number }> {
    return this.api.call('GET', `${PRESENCE}/rooms?${search({ q, limit: 12 })}`);
  }

  evidence(user: Id): Promise<Evidence> {
    return this.api.call('GET', `${PRESENCE}/evidence/${user}`);
  }

  user(id: Id): Promise<User> {
    return this.api.call('GET', `/api/users/${id}`);
  }

  reconcile(): Promise<{ reaped: number }> {
    return this.api.call('POST', `${PRESENCE}/reconcile`);
  }

  drain(node: string, draining: boolean): Promise<void> {
    return this.api.call('PUT', `${PRESENCE}/nodes/${encodeURIComponent(node)}/drain`, { draining });
  }

  endLogin(user: Id, which: Login['id'] | 'all'): Promise<void> {
    return this.api.call('DELETE', `/api/users/${user}/sessions/${which}`);
  }

  disable(user: Id, disabled: boolean): Promise<void> {
    return this.api.call('PUT', `/api/users/${user}/disabled`, { disabled });
  }

  announce(body: string): Promise<void> {
    return this.api.call('PUT', '/api/announcement', { body });
  }

  takeBack(): Promise<void> {
    return this.api.call('DELETE', '/api/announcement');
  }

  announcement(): Promise<Announcement | null> {
    return this.api.announcement();
  }

  audit(query: { action: string; user: Id; after?: number }): Promise<{ rows: AuditRow[]; next: number | null }> {
    const { action, user, after } = query;
    return this.api.call('GET', `/api/audit?${search({ action, user, limit: 50, ...(after && { after }) })}`);
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
