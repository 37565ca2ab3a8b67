/** What owners and admins do in a conversation: reports, bans, invite links and hooks. */
import { type Api, messagePath, query } from './api';
import type { Bans, Conversation, Delivered, Hook, HookDeliveries, HookDelivery, Hooks, Id, Link, Links, NewHook } from './schema';
import type { NewOutgoingHook, Notes, OutgoingHook, OutgoingHooks, Report, Reported, Reports, Resolution } from './schema';

export type { Ban, Hook, HookDelivery, Link, NewHook, NewOutgoingHook, Note, OutgoingHook, Report } from './schema';

export type HookEvent = OutgoingHook['events'][number];
export type ReportState = 'open' | 'resolved' | 'all';

const path = (conversation: Id) => `/api/chat/conversations/${conversation}`;

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

  async hooks(conversation: Id): Promise<Hook[]> {
    return (await this.api.call<Hooks>('GET', `${path(conversation)}/incoming-hooks`)).hooks;
  }

  /** Make an address at which other programs post. It is returned only now. */
  makeHook(conversation: Id, name: string): Promise<NewHook> {
    return this.api.call('POST', `${path(conversation)}/incoming-hooks`, { name });
  }

  removeHook(conversation: Id, hook: Id): Promise<void> {
    return this.api.call('DELETE', `${path(conversation)}/incoming-hooks/${hook}`);
  }

  /** Post a test message by a hook. */
  testHook(conversation: Id, hook: Id): Promise<void> {
    return this.api.call('POST', `${path(conversation)}/incoming-hooks/${hook}/test`);
  }

  async outgoingHooks(conversation: Id): Promise<OutgoingHook[]> {
    return (await this.api.call<OutgoingHooks>('GET', `${path(conversation)}/hooks`)).hooks;
  }

  /** Send the conversation's events to a program. Its secret is returned only now. */
  makeOutgoingHook(conversation: Id, url: string, events: HookEvent[]): Promise<NewOutgoingHook> {
    return this.api.call('POST', `${path(conversation)}/hooks`, { url, events });
  }

  /** Turn a hook on or off. It continues where it stopped. */
  enableOutgoingHook(conversation: Id, hook: Id, enabled: boolean): Promise<void> {
    return this.api.call('PATCH', `${path(conversation)}/hooks/${hook}`, { enabled });
  }

  removeOutgoingHook(conversation: Id, hook: Id): Promise<void> {
    return this.api.call('DELETE', `${path(conversation)}/hooks/${hook}`);
  }

  /** Send a test event to a hook, and return what was answered. */
  async testOutgoingHook(conversation: Id, hook: Id): Promise<HookDelivery> {
    return (await this.api.call<Delivered>('POST', `${path(conversation)}/hooks/${hook}/test`)).delivery;
  }

  async deliveries(conversation: Id, hook: Id): Promise<HookDelivery[]> {
    return (await this.api.call<HookDeliveries>('GET', `${path(conversation)}/hooks/${hook}/deliveries`)).deliveries;
  }

  async redeliver(conversation: Id, hook: Id, delivery: Id): Promise<HookDelivery> {
    const at = `${path(conversation)}/hooks/${hook}/deliveries/${delivery}/redeliver`;
    return (await this.api.call<Delivered>('POST', at)).delivery;
  }

  /** Join a conversation with the code of an invite link. */
  joinByLink(code: string): Promise<Conversation> {
    return this.api.call('POST', '/api/chat/join', { code });
  }

  notes(conversation: Id, after?: Id): Promise<Notes> {
    return this.api.call('GET', `${path(conversation)}/audit${query({ after })}`);
  }
}
