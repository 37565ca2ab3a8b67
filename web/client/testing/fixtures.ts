/** Users and conversations for tests, with every field that the server sends. */
import type { Conversation, Id, User } from '../types';

export function makeUser(id: Id, name: string, display_name = name): User {
  return { id, name, display_name, role: 'member', about: '', time_zone: '', avatar: '' };
}

/** Make a channel without messages. */
export function makeChannel(change: Partial<Conversation> = {}): Conversation {
  return {
    id: 7,
    kind: 'channel',
    name: 'general',
    topic: '',
    private: false,
    role: 'member',
    last_seq: 0,
    read_seq: 0,
    unread: 0,
    mentions: 0,
    level: 'all',
    muted_until: null,
    last_message: null,
    ...change,
  };
}
