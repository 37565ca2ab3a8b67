/** The answer to an edit, before its entry arrives. */
import { expect, test } from 'vitest';
import { apply } from './apply';
import { defaultSidebar } from './sidebar';
import { makeChannel, makeUser } from './testing/fixtures';
import { correct, emptyModel, type Model, takeSnapshot } from './model';
import type { Message } from './types';

const file = { id: 3, name: 'plan.txt', size: 1, type: 'text/plain' };
const said: Message = { conversation: 7, seq: 1, author: 1, body: 'look', client_id: 'c1', created_at: '2026-11-25T11:00:00.000Z' };
const talk = takeSnapshot(emptyModel(makeUser(1, 'ana', 'Ana')), { conversations: [makeChannel()], blocked: [], invitations: [], sidebar: defaultSidebar, saved: [], cursor: 'e.0' });
const carrying = apply(talk, { event: 'message', id: 'e.1', data: { ...said, files: [file, { ...file, id: 4 }] } });
const last = (model: Model) => model.conversations.get(7)?.last_message;
const lighter = (rest: Partial<Message>) => correct(carrying, { ...said, edited_at: '2026-11-25T12:00:00.000Z', ...rest });

test('the answer to an edit lists the remaining files', () => {
  expect(last(lighter({ files: [file] }))?.files).toEqual([file]);
  expect(last(lighter({}))).not.toHaveProperty('files');
  expect(last(lighter({ body: 'less' }))?.body).toBe('less');
});
