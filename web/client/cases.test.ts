/** Unread and mention counts, with the cases that the server's model also passes. */
import { expect, test } from 'vitest';
import attention from '../../tests/cases/attention.json';
import { apply } from './apply';
import { defaultSidebar } from './sidebar';
import { makeChannel, makeUser } from './testing/fixtures';
import type { Entry } from './entry';
import { emptyModel, takeSnapshot } from './model';
import type { Conversation } from './types';

const me = makeUser(1, 'one', 'One');

interface Case {
  name: string;
  before: { conversations: Partial<Conversation>[]; blocked: number[] };
  entries: [string, object][];
  after: { conversations: Partial<Conversation>[]; blocked: number[] };
}

// store.test.ts covers a new member, whose conversation is loaded from the server
const cases = (attention.cases as unknown as Case[]).filter((one) => one.before.conversations.length);

test.each(cases)('$name', ({ before, entries, after }) => {
  const conversations = before.conversations.map((one) => makeChannel(one));
  const start = takeSnapshot(emptyModel(me), { conversations, blocked: before.blocked, invitations: [], sidebar: defaultSidebar, saved: [], cursor: 'e.0' });
  const end = entries
    .map(([event, data], at) => ({ event, data, id: `e.${at + 1}` }) as Entry)
    .reduce(apply, start);
  expect([...end.conversations.values()]).toMatchObject(after.conversations);
  expect([...end.blocked].sort()).toEqual(after.blocked);
});
