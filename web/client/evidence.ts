/** Evidence about a message: how it was delivered, and its earlier versions. */
import type { Api } from './api';
import { messagePath, query } from './paths';
import type { Delivery, Edits, Id } from './schema';

export type { Delivery, Device, Evidence, Kept, StreamRecord } from './schema';
export type DeliveryOutcome = Delivery['outcome'];

/** Explain why a user did or did not get a message. Only for admins of the server. */
export function traceDelivery(api: Api, conversation: Id, seq: number, user: Id): Promise<Delivery> {
  return api.call('GET', `${messagePath(conversation, seq)}/delivery/${user}`);
}

/** Return earlier versions of a message, newest first. Only for owners and admins of the conversation. */
export function listEdits(
  api: Api,
  conversation: Id,
  seq: number,
  before?: number,
): Promise<Edits> {
  return api.call('GET', `${messagePath(conversation, seq)}/edits${query({ before })}`);
}
