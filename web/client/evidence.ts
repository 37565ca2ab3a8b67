/** What is known about a message beside what it says: who got it, and what stood there before. */
import { type Api, messagePath, query } from './api';
import type { Id } from './types';

export type DeliveryOutcome =
  | 'author'
  | 'read'
  | 'not_member'
  | 'deleted'
  | 'disabled'
  | 'handed'
  | 'not_handed'
  | 'no_stream';

/** A stream that was open when the message was committed, or later; `handed_at` is null where it did not come. */
export interface StreamRecord {
  session: Id;
  node: string;
  opened_at: string;
  closed_at: string | null;
  reason: string | null;
  /** It had been missed, and came when the stream opened. */
  replayed: boolean;
  handed_at: string | null;
}

export interface Device {
  session: Id;
  node: string;
  streams: number;
  sockets: number;
  active: boolean;
  name?: string;
  address?: string;
}

export interface Delivery {
  message: { conversation: Id; seq: number; author: Id; position: number; committed_at: string; node: string | null };
  user: { id: Id; name: string; disabled: boolean };
  member: boolean;
  streams: StreamRecord[];
  read_at: string | null;
  outcome: DeliveryOutcome;
  why: string;
  /** Null while the registry cannot be asked. */
  now: { devices: Device[]; why: string; last_active_at: string | null } | null;
}

/** `body` stood there until `at`, when `user` replaced or deleted it; numbered from 1, the oldest. */
export interface Kept {
  number: number;
  body: string;
  user: Id;
  at: string;
}

/** Why somebody did or did not get a message; for admins of the server. */
export function traceDelivery(api: Api, conversation: Id, seq: number, user: Id): Promise<Delivery> {
  return api.call('GET', `${messagePath(conversation, seq)}/delivery/${user}`);
}

/** What stood there before, the latest first; for those who run the conversation. */
export function readEdits(
  api: Api,
  conversation: Id,
  seq: number,
  before?: number,
): Promise<{ edits: Kept[]; next?: number }> {
  return api.call('GET', `${messagePath(conversation, seq)}/edits${query({ before })}`);
}
