/** What was begun and not sent, per person and conversation; kept on this device. */
import type { Id } from '../../client';
import { keep, kept } from '../kept';

const key = (person: Id, conversation: Id) => `tandem.draft.${person}.${conversation}`;

export function draftOf(person: Id, conversation: Id): string {
  return kept('device', key(person, conversation)) ?? '';
}

export function keepDraft(person: Id, conversation: Id, text: string): void {
  keep('device', key(person, conversation), text);
}
