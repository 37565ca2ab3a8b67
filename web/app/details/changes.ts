/** What those who run a conversation have done, in words. Pure. */
import type { Id, Note } from '../../client';
import { wordsForPace } from './paces';

type Names = (id: Id) => string;

/** `Ana made Ben an admin`. */
export function tellChange(note: Note, name: Names): string {
  const who = note.actor === null ? 'Somebody' : name(note.actor);
  const whom = note.subject === null ? 'somebody' : note.subject === note.actor ? 'themselves' : name(note.subject);
  const text = `${who} ${deed(note, whom)}`;
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

function deed({ action, detail }: Note, whom: string): string {
  const why = detail['reason'] ? `: “${String(detail['reason'])}”` : '';
  if (action === 'member.role') return `made ${whom} ${detail['role'] === 'member' ? 'a member' : `an ${String(detail['role'])}`}`;
  if (action === 'member.remove') return `removed ${whom}`;
  if (action === 'member.ban') return `banned ${whom}${why}`;
  if (action === 'member.unban') return `lets ${whom} come back`;
  if (action === 'link.make') return `made an invite link for ${String(detail['uses'])}`;
  if (action === 'link.withdraw') return 'revoked an invite link';
  if (action === 'report.resolve') return `${detail['outcome'] === 'acted' ? 'acted on' : 'dismissed'} a report`;
  return action === 'conversation.change' ? settings(detail) : action;
}

function settings(detail: Record<string, unknown>): string {
  const told: Record<string, (value: unknown) => string> = {
    name: (value) => `named it “${String(value)}”`,
    topic: (value) => (value ? `set the topic “${String(value)}”` : 'took the topic away'),
    private: (value) => (value ? 'made it private' : 'made it public'),
    archived: (value) => (value ? 'archived it' : 'brought it back'),
    slow: (value) => (value ? `set slow mode to ${wordsForPace(Number(value))}` : 'ended slow mode'),
    read_only: (value) => (value ? 'let only owners and admins write' : 'let all members write'),
  };
  const parts = Object.entries(detail).flatMap(([field, value]) => told[field]?.(value) ?? []);
  return parts.join(' and ') || 'changed it';
}
