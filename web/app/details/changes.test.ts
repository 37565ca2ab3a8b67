/** Sentences of a conversation's activity log. */
import { expect, test } from 'vitest';
import type { Note } from '../../client';
import { describeChange } from './changes';

const name = (id: number) => ['', 'you', 'Ben'][id] ?? `${id}`;
const note = (action: string, detail = {}, subject: number | null = 2): Note => ({ id: 1, at: '', actor: 1, action, subject, detail });

test('each change is a sentence', () => {
  expect(describeChange(note('member.role', { role: 'admin' }), name)).toBe('You made Ben an admin');
  expect(describeChange(note('member.ban', { reason: 'spam' }), name)).toBe('You banned Ben: “spam”');
  expect(describeChange(note('conversation.change', { slow: 30, read_only: true }, null), name)).toBe(
    'You set slow mode to 30 seconds and let only owners and admins post',
  );
  expect(describeChange(note('conversation.change', { topic: '' }, null), name)).toBe('You removed the topic');
});
