/** Search in messages. */
import type { Api } from './api';
import { query } from './paths';
import type { Found } from './schema';
import type { Id } from './types';

export type { Hit } from './schema';

/** `q` can contain filters as the user typed them: `tomat* from:ana on:2026-01-31 has:link`. */
export interface SearchRequest {
  q: string;
  conversation?: Id;
  /** The time zone in which days begin, like `Europe/Berlin`; by default that of the profile. */
  zone?: string;
  /** The `next` of the page before. */
  before?: string;
}

/** Return the newest matches first; `next` continues below them. */
export function search(api: Api, asked: SearchRequest): Promise<Found> {
  return api.call('GET', `/api/chat/search${query({ ...asked })}`);
}
