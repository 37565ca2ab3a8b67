/** The API calls of the people page, which only admins may make. */
import type { Api, Id } from '../../client';
import { query } from '../../client/paths';
import type {
  AccountPage,
  InviteForm,
  InvitePage,
  MailedInvites,
  MailedInvitesForm,
  NewInvite,
  ResetLink,
  TeamForm,
  TeamState,
} from '../../client/schema';

export interface AccountQuery {
  q: string;
  role: string;
  state: string;
  after?: string;
}

export class TeamCalls {
  constructor(private readonly api: Api) {}

  team(): Promise<TeamState> {
    return this.api.call('GET', '/api/team');
  }

  changeTeam(form: TeamForm): Promise<TeamState> {
    return this.api.call('PATCH', '/api/team', form);
  }

  accounts(asked: AccountQuery): Promise<AccountPage> {
    return this.api.call('GET', `/api/accounts${query({ ...asked })}`);
  }

  giveRole(user: Id, role: 'admin' | 'member'): Promise<void> {
    return this.api.call('PUT', `/api/users/${user}/role`, { role });
  }

  disable(user: Id, disabled: boolean): Promise<void> {
    return this.api.call('PUT', `/api/users/${user}/disabled`, { disabled });
  }

  /** Create a link with which the user sets a new password. The server returns it only once. */
  async makeReset(user: Id): Promise<string> {
    return location.origin + (await this.api.call<ResetLink>('POST', `/api/users/${user}/reset`, {})).path;
  }

  invites(before?: Id): Promise<InvitePage> {
    return this.api.call('GET', `/api/invites${query({ before })}`);
  }

  makeInvite(form: InviteForm): Promise<NewInvite> {
    return this.api.call('POST', '/api/invites', form);
  }

  mailInvites(form: MailedInvitesForm): Promise<MailedInvites> {
    return this.api.call('POST', '/api/invites/email', form);
  }

  revokeInvite(invite: Id): Promise<void> {
    return this.api.call('DELETE', `/api/invites/${invite}`);
  }
}
