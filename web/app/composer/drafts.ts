/** What was begun and not sent, per person and conversation; kept on this device. */
import type { Id } from '../../client';

const key = (person: Id, conversation: Id) => `tandem.draft.${person}.${conversation}`;

export function draftOf(person: Id, conversation: Id): string {
  return localStorage.getItem(key(person, conversation)) ?? '';
}

export function keepDraft(person: Id, conversation: Id, text: string): void {
  if (text) localStorage.setItem(key(person, conversation), text);
  else localStorage.removeItem(key(person, conversation));
}
