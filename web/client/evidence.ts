/** What is known about a message beside what it says: who got it, and what stood there before. */
import { type Api, messagePath, query } from './api';
import type { Delivery, Edits, Id } from './schema';

export type { Delivery, Device, Evidence, Kept, StreamRecord } from './schema';
export type DeliveryOutcome = Delivery['outcome'];

/** Why somebody did or did not get a message; for admins of the server. */
export function traceDelivery(api: Api, conversation: Id, seq: number, user: Id): Promise<Delivery> {
  return api.call('GET', `${messagePath(conversation, seq)}/delivery/${user}`);
}

/** What stood there before, the latest first; for those who run the conversation. */
export function listEdits(
  api: Api,
  conversation: Id,
  seq: number,
  before?: number,
): Promise<Edits> {
  return api.call('GET', `${messagePath(conversation, seq)}/edits${query({ before })}`);
}
