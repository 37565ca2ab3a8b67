// The smallest request bodies, typed by openapi-typescript: a field with a default can be left out. `tsc` checks this.
import type { components, paths } from './schema';

type Body<Path extends keyof paths, Method extends 'post' | 'patch' | 'put'> = paths[Path][Method] extends {
  requestBody: { content: { 'application/json': infer Json } };
}
  ? Json
  : never;

export const signUp: Body<'/api/accounts', 'post'> = { name: 'ana', password: 'a long password' };
export const logIn: Body<'/api/sessions', 'post'> = { name: 'ana', password: 'a long password' };
export const channel: Body<'/api/chat/conversations', 'post'> = { kind: 'channel', name: 'general' };
export const change: Body<'/api/chat/conversations/{conversation}', 'patch'> = {};
export const message: Body<'/api/chat/conversations/{conversation}/messages', 'post'> = { client_id: '1', body: 'hi' };
export const ban: Body<'/api/chat/conversations/{conversation}/bans/{user}', 'put'> = {};
export const link: Body<'/api/chat/conversations/{conversation}/links', 'post'> = {};

/** Fields that an answer always has need no check; those that it may leave out do. */
export function describe(found: components['schemas']['Message']): string {
  // @ts-expect-error: only edited messages have it
  const edited: string = found.edited_at;
  return `${found.author.toFixed()} ${found.created_at} ${edited}`;
}

// @ts-expect-error: a message needs its client_id
export const anonymous: Body<'/api/chat/conversations/{conversation}/messages', 'post'> = { body: 'hi' };
