/** What was changed, in words. */
import { expect, test } from 'vitest';
import type { Note } from '../../client';
import { tellChange } from './changes';

const name = (id: number) => ['', 'you', 'Ben'][id] ?? `${id}`;
const note = (action: string, detail = {}, subject: number | null = 2): Note => ({ id: 1, at: '', actor: 1, action, subject, detail });

test('each deed is a sentence', () => {
  expect(tellChange(note('member.role', { role: 'admin' }), name)).toBe('You made Ben an admin');
  expect(tellChange(note('member.ban', { reason: 'spam' }), name)).toBe('You banned Ben: “spam”');
  expect(tellChange(note('conversation.change', { slow: 30, read_only: true }, null), name)).toBe(
    'You set slow mode to 30 seconds and let only owners and admins write',
  );
  expect(tellChange(note('conversation.change', { topic: '' }, null), name)).toBe('You took the topic away');
});
