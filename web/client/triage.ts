/** Calls for what users keep for later and what calls for their attention: saved messages and the Activity page. */
import { type Api, query } from './api';
import type * as schema from './schema';
import type { ActivityKind, Id } from './types';

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

  /** Note that the user has seen the reactions up to a time. */
  markActivity(at: string): Promise<void> {
    return this.api.call('PUT', '/api/chat/activity/read', { at });
  }
}
