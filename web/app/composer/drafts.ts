/** Unsent texts for each user, conversation and thread, stored on this device. */
import type { Id } from '../../client';
import { hear, keep, kept, keysKept } from '../local-storage';

/** Names a composer: the conversation's own, or that of one of its threads. */
export interface ComposerKey {
  conversation: Id;
  thread: number | null;
}

const listeners = new Set<() => void>();
const prefix = (user: Id) => `tandem.draft.${user}.`;
const storageKey = (user: Id, { conversation, thread }: ComposerKey) =>
  `${prefix(user)}${conversation}${thread === null ? '' : `.${thread}`}`;

export function draftOf(user: Id, key: ComposerKey): string {
  return kept('device', storageKey(user, key)) ?? '';
}

/** Call `take` with each draft that another tab of this browser stores. Return a function that stops this. */
export function onDraftChange(user: Id, key: ComposerKey, take: (text: string) => void): () => void {
  return hear(storageKey(user, key), take);
}

export const countDrafts = (user: Id): number => keysKept(prefix(user)).length;

export function keepDraft(user: Id, key: ComposerKey, text: string): void {
  const had = draftOf(user, key) !== '';
  keep('device', storageKey(user, key), text);
  if (had !== (text !== '')) for (const listener of listeners) listener();
}

/** Return the conversations with an unsent text, threads included. */
export function drafted(user: Id): ReadonlySet<Id> {
  return new Set(keysKept(prefix(user)).map((key) => parseInt(key.slice(prefix(user).length), 10)));
}

/** Call the listener when there may be a draft more or less, in this tab or another one. */
export function onDrafts(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    removeEventListener('storage', listener);
  };
}
