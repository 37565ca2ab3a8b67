/** Unsent texts for each user, conversation and thread, stored on this device. */
import type { Id } from '../../client';
import { countKept, hear, keep, kept } from '../local-storage';

/** Names a composer: the conversation's own, or that of one of its threads. */
export interface ComposerKey {
  conversation: Id;
  thread: number | null;
}

const storageKey = (user: Id, { conversation, thread }: ComposerKey) =>
  `tandem.draft.${user}.${conversation}${thread === null ? '' : `.${thread}`}`;

export function draftOf(user: Id, key: ComposerKey): string {
  return kept('device', storageKey(user, key)) ?? '';
}

/** Call `take` with each draft that another tab of this browser stores. Return a function that stops this. */
export function onDraftChange(user: Id, key: ComposerKey, take: (text: string) => void): () => void {
  return hear(storageKey(user, key), take);
}

export const countDrafts = (user: Id): number => countKept(`tandem.draft.${user}.`);

export function keepDraft(user: Id, key: ComposerKey, text: string): void {
  keep('device', storageKey(user, key), text);
}
