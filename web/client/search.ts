/** Finding what was said. */
import { type Api, query } from './api';
import type { Id, Message } from './types';

/** `q` may hold filters, as typed: `tomat* from:ana before:2026-01-31 has:link`. */
export interface Asked {
  q: string;
  conversation?: Id;
  /** Where the page before ended. */
  before?: string;
}

/** A message, and the part of it that answers, as plain text: `true` marks what was looked for. */
export interface Hit {
  message: Message;
  highlight: [string, boolean][];
}

/** The newest first; `next` goes on below them. */
export function search(api: Api, asked: Asked): Promise<{ results: Hit[]; next: string | null }> {
  return api.call('GET', `/api/chat/search${query({ ...asked })}`);
}
