/** What was begun and not sent, per person, conversation and thread; kept on this device. */
import type { Id } from '../../client';
import { countKept, hear, keep, kept } from '../local-storage';

/** The conversation's own composer, or that of one of its threads. */
export interface Desk {
  conversation: Id;
  thread: number | null;
}

const key = (person: Id, { conversation, thread }: Desk) =>
  `tandem.draft.${person}.${conversation}${thread === null ? '' : `.${thread}`}`;

export function draftOf(person: Id, desk: Desk): string {
  return kept('device', key(person, desk)) ?? '';
}

/** Tells what another tab of this browser has kept since, until what it returns is called. */
export function hearDraft(person: Id, desk: Desk, take: (text: string) => void): () => void {
  return hear(key(person, desk), take);
}

export const countDrafts = (person: Id): number => countKept(`tandem.draft.${person}.`);

export function keepDraft(person: Id, desk: Desk, text: string): void {
  keep('device', key(person, desk), text);
}
