/** Entries of a conversation's activity log as sentences. Pure. */
import type { Id, Note, Role } from '../../client';
import { messages as m } from '../messages';
import { intervalName } from './slow-mode';

type Names = (id: Id) => string;

/** Return a sentence such as `Ana made Ben an admin`. */
export function describeChange(note: Note, name: Names): string {
  const actor = note.actor === null ? m.details.someone : name(note.actor);
  const self = note.subject !== null && note.subject === note.actor;
  const subject = note.subject === null ? m.details.someone : self ? m.details.themselves : name(note.subject);
  const text = m.details.change(actor, actionText(note, subject));
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

function actionText({ action, detail }: Note, subject: string): string {
  const texts: Record<string, () => string> = {
    'member.role': () => m.details.made[(detail['role'] as Role | undefined) ?? 'member'](subject),
    'member.remove': () => m.details.removedMember(subject),
    'member.ban': () => m.details.bannedMember(subject, String(detail['reason'] ?? '')),
    'member.unban': () => m.details.unbannedMember(subject),
    'link.make': () => m.details.createdLink(Number(detail['uses'])),
    'link.withdraw': () => m.details.revokedLink,
    'hook.make': () => m.details.createdHook(String(detail['name'] ?? '')),
    'hook.remove': () => m.details.removedHook,
    'hook.change': () => m.details.changedHook(String(detail['name'] ?? '')),
    'hook.disable': () => m.details.disabledHook(String(detail['problem'] ?? '')),
    'report.resolve': () => (detail['outcome'] === 'acted' ? m.details.resolvedReport : m.details.dismissedReport),
    'conversation.change': () => settingsText(detail),
  };
  return texts[action]?.() ?? action;
}

function settingsText(detail: Record<string, unknown>): string {
  const texts: Record<string, (value: unknown) => string> = {
    name: (value) => m.details.renamed(String(value)),
    topic: (value) => (value ? m.details.setTopic(String(value)) : m.details.removedTopic),
    private: (value) => (value ? m.details.madePrivate : m.details.madePublic),
    archived: (value) => (value ? m.details.archived : m.details.restored),
    slow: (value) => (value ? m.details.setSlowMode(intervalName(Number(value))) : m.details.endedSlowMode),
    read_only: (value) => (value ? m.details.limitedPosting : m.details.openedPosting),
  };
  const parts = Object.entries(detail).flatMap(([field, value]) => texts[field]?.(value) ?? []);
  return parts.join(m.details.and) || m.details.changedSettings;
}
