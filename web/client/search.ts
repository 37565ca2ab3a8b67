/** Finding what was said. */
import { type Api, query } from './api';
import type { Found } from './schema';
import type { Id } from './types';

export type { Hit } from './schema';

/** `q` may hold filters, as typed: `tomat* from:ana before:2026-01-31 has:link`. */
export interface SearchRequest {
  q: string;
  conversation?: Id;
  /** Where the page before ended. */
  before?: string;
}

/** The newest first; `next` goes on below them. */
export function search(api: Api, asked: SearchRequest): Promise<Found> {
  return api.call('GET', `/api/chat/search${query({ ...asked })}`);
}
