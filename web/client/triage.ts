/** Calls for what users keep for later and what calls for their attention: saved and scheduled messages, and the Activity page. */
import type { Api } from './api';
import { query } from './paths';
import type * as schema from './schema';
import type { ActivityKind, Id, References, ScheduledMessage } from './types';

export class Triage {
  constructor(private readonly api: Api) {}

  /** Save a message for later, or mark a saved one as done. Null removes it. */
  save(conversation: Id, seq: number, state: 'open' | 'done' | null): Promise<void> {
    const path = `/api/chat/conversations/${conversation}/messages/${seq}/saved`;
    return state === null ? this.api.call('DELETE', path) : this.api.call('PUT', path, { done: state === 'done' });
  }

  /** Return saved messages, the latest first; `before` is the `next` of the page before. */
  saved(done: boolean, before?: Id): Promise<schema.SavedMessages> {
    return this.api.call('GET', `/api/chat/saved${query({ done: done ? 1 : undefined, before })}`);
  }

  /** Return activity of one kind or of all, newest first; `before` is the `next` of the page before. */
  activity(kind?: ActivityKind, before?: string): Promise<schema.ActivityPage> {
    return this.api.call('GET', `/api/chat/activity${query({ kind, before })}`);
  }

  /** Set a reminder about a message. `at`: an RFC 3339 time. It arrives as a message of a bot. */
  remind(conversation: Id, seq: number, at: string): Promise<void> {
    return this.api.call('POST', '/api/reminders', { at, conversation, seq });
  }

  /** Return the reminders that have not arrived, the next one first. */
  async reminders(): Promise<schema.Reminder[]> {
    return (await this.api.call<schema.Reminders>('GET', '/api/reminders')).reminders;
  }

  changeReminder(id: Id, change: schema.ReminderChange): Promise<void> {
    return this.api.call('PATCH', `/api/reminders/${id}`, change);
  }

  removeReminder(id: Id): Promise<void> {
    return this.api.call('DELETE', `/api/reminders/${id}`);
  }

  /**
   * Schedule a message: `at` is an RFC 3339 time. Retry with the same `clientId`. The message that is posted then has the
   * same one.
   */
  async schedule(conversation: Id, body: string, at: string, clientId: string, references: References = {}): Promise<ScheduledMessage> {
    const { files, ...rest } = references;
    const carried = files?.length ? { files: files.map((file) => file.id) } : {};
    const draft = { conversation, body, at, client_id: clientId, ...rest, ...carried };
    return (await this.api.call<schema.NewScheduled>('POST', '/api/chat/scheduled', draft)).scheduled;
  }

  /** Return all scheduled messages, the next one first. */
  async scheduled(): Promise<ScheduledMessage[]> {
    const all: ScheduledMessage[] = [];
    for (let after: Id | undefined = 0; after !== undefined; ) {
      const page: schema.ScheduledPage = await this.api.call('GET', `/api/chat/scheduled${query({ after: after || undefined })}`);
      all.push(...page.scheduled);
      after = page.next;
    }
    return all.sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || a.id - b.id);
  }

  changeScheduled(id: Id, change: { body?: string; files?: Id[]; at?: string }): Promise<void> {
    return this.api.call('PATCH', `/api/chat/scheduled/${id}`, change);
  }

  removeScheduled(id: Id): Promise<void> {
    return this.api.call('DELETE', `/api/chat/scheduled/${id}`);
  }

  sendScheduled(id: Id): Promise<void> {
    return this.api.call('POST', `/api/chat/scheduled/${id}/send`);
  }

  /** Note that the user has seen the reactions up to a time. */
  markActivity(at: string): Promise<void> {
    return this.api.call('PUT', '/api/chat/activity/read', { at });
  }
}
