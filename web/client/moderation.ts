/** What owners and admins do in a conversation: reports, bans, invite links and hooks. */
import type { Api } from './api';
import { messagePath, query } from './paths';
import type { Bans, Conversation, Delivered, HookDeliveries, HookDelivery, HookPage, Id, Link, Links, ListedHook } from './schema';
import type { NewHook, NewOutgoingHook, Notes, OutgoingForm, Report, Reported, Reports, Resolution } from './schema';

export type { Ban, HookDelivery, Link, ListedHook, NewHook, NewOutgoingHook, Note, OutgoingForm, Report } from './schema';

export type HookEvent = ListedHook['events'][number];
export type ReportState = 'open' | 'resolved' | 'all';

const path = (conversation: Id) => `/api/chat/conversations/${conversation}`;
const hookPath = ({ kind, conversation, id }: ListedHook) =>
  `${path(conversation)}/${kind === 'incoming' ? 'incoming-hooks' : 'hooks'}/${id}`;

export class Moderation {
  constructor(private readonly api: Api) {}

  /** Report a message. Reporting it again changes nothing. */
  report(conversation: Id, seq: number, reason: string): Promise<Reported> {
    return this.api.call('POST', `${messagePath(conversation, seq)}/reports`, { reason });
  }

  /** Return the reports that this user can resolve, newest first. */
  reports(state: ReportState, before?: Id): Promise<Reports> {
    return this.api.call('GET', `/api/chat/reports${query({ state, before })}`);
  }

  resolve(report: Id, outcome: Resolution['outcome'], note: string): Promise<Report> {
    return this.api.call('PATCH', `/api/chat/reports/${report}`, { outcome, ...(note && { note }) });
  }

  bans(conversation: Id, after?: Id): Promise<Bans> {
    return this.api.call('GET', `${path(conversation)}/bans${query({ after })}`);
  }

  /** Ban a user permanently. Banning again changes the reason. */
  ban(conversation: Id, user: Id, reason: string): Promise<void> {
    return this.api.call('PUT', `${path(conversation)}/bans/${user}`, { reason });
  }

  unban(conversation: Id, user: Id): Promise<void> {
    return this.api.call('DELETE', `${path(conversation)}/bans/${user}`);
  }

  async links(conversation: Id): Promise<Link[]> {
    return (await this.api.call<Links>('GET', `${path(conversation)}/links`)).links;
  }

  makeLink(conversation: Id, uses: number, days: number): Promise<Link> {
    return this.api.call('POST', `${path(conversation)}/links`, { uses, days });
  }

  withdrawLink(conversation: Id, link: Id): Promise<void> {
    return this.api.call('DELETE', `${path(conversation)}/links/${link}`);
  }

  /** Return a page of hooks of every kind: those of a conversation, or all, for admins of the server. */
  hooks(asked: { conversation?: Id | undefined; after?: string | undefined }): Promise<HookPage> {
    return this.api.call('GET', `/api/hooks${query(asked)}`);
  }

  /** Make an address at which other programs post. It is returned only now. */
  makeHook(conversation: Id, name: string): Promise<NewHook> {
    return this.api.call('POST', `${path(conversation)}/incoming-hooks`, { name });
  }

  /** Send events or a slash command to a program. Its secret is returned only now. */
  makeOutgoingHook(conversation: Id, form: OutgoingForm): Promise<NewOutgoingHook> {
    return this.api.call('POST', `${path(conversation)}/hooks`, form);
  }

  /** Turn a hook on or off. One that receives events continues where it stopped. */
  enableHook(hook: ListedHook, enabled: boolean): Promise<void> {
    return this.api.call('PATCH', hookPath(hook), { enabled });
  }

  removeHook(hook: ListedHook): Promise<void> {
    return this.api.call('DELETE', hookPath(hook));
  }

  /** Post a test message by an incoming hook, or send a test event and return what was answered. */
  async testHook(hook: ListedHook): Promise<HookDelivery | undefined> {
    return (await this.api.call<Delivered | undefined>('POST', `${hookPath(hook)}/test`))?.delivery;
  }

  async deliveries(hook: ListedHook): Promise<HookDelivery[]> {
    return (await this.api.call<HookDeliveries>('GET', `${hookPath(hook)}/deliveries`)).deliveries;
  }

  /** Send an event again, and return what was answered. */
  async redeliver(hook: ListedHook, delivery: Id): Promise<HookDelivery> {
    return (await this.api.call<Delivered>('POST', `${hookPath(hook)}/deliveries/${delivery}/redeliver`)).delivery;
  }

  /** Join a conversation with the code of an invite link. */
  joinByLink(code: string): Promise<Conversation> {
    return this.api.call('POST', '/api/chat/join', { code });
  }

  notes(conversation: Id, after?: Id): Promise<Notes> {
    return this.api.call('GET', `${path(conversation)}/audit${query({ after })}`);
  }
}
