/** The paths and queries of the API's URLs. */
import type { Id } from './types';

export function messagePath(conversation: Id, seq: number): string {
  return `/api/chat/conversations/${conversation}/messages/${seq}`;
}

/** Return `?name=value…` for the values that are present, or an empty string. */
export function query(values: Record<string, string | number | undefined>): string {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined && value !== '');
  const search = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]));
  return pairs.length ? `?${search}` : '';
}
