/** The user groups that messages mention, as they are now. */
import { SvelteMap } from 'svelte/reactivity';
import type { Api, Entry, Id } from '../client';
import type { UserGroup, UserGroupDetail, UserGroups, UserGroupState } from '../client/schema';

export class Groups {
  private readonly known = new SvelteMap<Id, UserGroup>();
  /** The members of the groups that were looked at. */
  readonly members = new SvelteMap<Id, readonly Id[]>();
  readonly all = $derived([...this.known.values()].sort((a, b) => (a.name < b.name ? -1 : 1)));
  /** False until the list has arrived. */
  loaded = $state(false);
  /** Counts entries: an answer to a request from before one is asked for again. */
  private entries = 0;

  constructor(
    private readonly api: Api,
    private readonly me: () => Id,
  ) {}

  async load(): Promise<void> {
    const before = this.entries;
    const { groups } = await this.api.call<UserGroups>('GET', '/api/groups');
    if (before !== this.entries) return this.load();
    this.known.clear();
    this.members.clear();
    for (const group of groups) this.known.set(group.id, group);
    this.loaded = true;
  }

  receive(entry: Entry): void {
    if (entry.event !== 'usergroup') return;
    this.entries++;
    if (entry.data.group) this.take(entry.data.group);
    else this.forget(entry.data.id);
  }

  of(id: Id): UserGroup | undefined {
    return this.known.get(id);
  }

  /** Return the groups that a text may mention. */
  in(text: string): UserGroup[] {
    if (!text.includes('@')) return [];
    const lower = text.toLowerCase();
    return this.all.filter(({ name }) => lower.includes(`@${name}`));
  }

  /** Load the members of a group, unless they are known. */
  async loadMembers(id: Id): Promise<void> {
    if (!this.members.has(id)) this.take((await this.api.call<UserGroupState>('GET', `/api/groups/${id}`)).group);
  }

  async create(name: string): Promise<Id> {
    const { group } = await this.api.call<UserGroupState>('POST', '/api/groups', { name });
    this.take(group);
    return group.id;
  }

  async rename(id: Id, name: string): Promise<void> {
    this.take((await this.api.call<UserGroupState>('PATCH', `/api/groups/${id}`, { name })).group);
  }

  async setMembers(id: Id, users: readonly Id[]): Promise<void> {
    this.take((await this.api.call<UserGroupState>('PUT', `/api/groups/${id}/members`, { users })).group);
  }

  async delete(id: Id): Promise<void> {
    await this.api.call('DELETE', `/api/groups/${id}`);
    this.forget(id);
  }

  private take({ members, ...group }: UserGroupDetail): void {
    this.known.set(group.id, { ...group, mine: members.includes(this.me()) });
    this.members.set(group.id, members);
  }

  private forget(id: Id): void {
    this.known.delete(id);
    this.members.delete(id);
  }
}
