/** Keeping a conversation in order: reports, bans, and links that let somebody in. */
import { type Api, messagePath, query } from './api';
import type { Conversation, Id } from './types';

export interface Report {
  id: Id;
  conversation: Id;
  seq: number;
  author: Id;
  /** As it was when it was reported. */
  body: string;
  reporter: Id;
  reason: string;
  at: string;
  outcome?: 'dismissed' | 'acted';
  note?: string;
  resolved_by?: Id;
  resolved_at?: string;
}

export interface Ban {
  user: Id;
  by: Id;
  reason: string;
  at: string;
}

/** `code` is told once, when it is made. */
export interface Link {
  id: Id;
  uses_left: number;
  by: Id;
  made_at: string;
  expires_at: string;
  code?: string;
}

export type ReportState = 'open' | 'resolved' | 'all';

/** What was changed in a conversation by those who run it. */
export interface Note {
  id: Id;
  at: string;
  actor: Id | null;
  action: string;
  subject: Id | null;
  detail: Record<string, unknown>;
}

const path = (conversation: Id) => `/api/chat/conversations/${conversation}`;

export class Moderation {
  constructor(private readonly api: Api) {}

  /** Again by the same person it changes nothing. */
  report(conversation: Id, seq: number, reason: string): Promise<{ id: Id }> {
    return this.api.call('POST', `${messagePath(conversation, seq)}/reports`, { reason });
  }

  /** What this person may judge, the latest first. */
  reports(state: ReportState, before?: Id): Promise<{ reports: Report[]; next?: Id }> {
    return this.api.call('GET', `/api/chat/reports${query({ state, before })}`);
  }

  resolve(report: Id, outcome: 'dismissed' | 'acted', note: string): Promise<Report> {
    return this.api.call('PATCH', `/api/chat/reports/${report}`, { outcome, ...(note && { note }) });
  }

  bans(conversation: Id, after?: Id): Promise<{ bans: Ban[]; next?: Id }> {
    return this.api.call('GET', `${path(conversation)}/bans${query({ after })}`);
  }

  /** Sends somebody away for good; again it changes the reason. */
  ban(conversation: Id, user: Id, reason: string): Promise<void> {
    return this.api.call('PUT', `${path(conversation)}/bans/${user}`, { reason });
  }

  unban(conversation: Id, user: Id): Promise<void> {
    return this.api.call('DELETE', `${path(conversation)}/bans/${user}`);
  }

  async links(conversation: Id): Promise<Link[]> {
    return (await this.api.call<{ links: Link[] }>('GET', `${path(conversation)}/links`)).links;
  }

  makeLink(conversation: Id, uses: number, days: number): Promise<Link> {
    return this.api.call('POST', `${path(conversation)}/links`, { uses, days });
  }

  withdrawLink(conversation: Id, link: Id): Promise<void> {
    return this.api.call('DELETE', `${path(conversation)}/links/${link}`);
  }

  /** Comes in by a link. */
  joinBy(code: string): Promise<Conversation> {
    return this.api.call('POST', '/api/chat/join', { code });
  }

  notes(conversation: Id, after?: Id): Promise<{ rows: Note[]; next: Id | null }> {
    return this.api.call('GET', `${path(conversation)}/audit${query({ after })}`);
  }
}
