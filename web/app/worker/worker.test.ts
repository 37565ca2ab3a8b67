/** What the service worker keeps, and what a notification says. */
import { expect, test } from 'vitest';
import { inUtc } from '../notify/quiet-hours';
import { CONVERSATIONS_MOST, keyOf, kindOf, surplus } from './copies';
import { notificationOf, plainText } from './notification';

const at = (path: string, method = 'GET', mode = 'cors') => kindOf({ method, mode, url: `https://chat.example${path}` });

test('the page, its files and the data read last are kept, and nothing else', () => {
  expect([at('/', 'GET', 'navigate'), at('/c/12/340', 'GET', 'navigate'), at('/settings/data', 'GET', 'navigate')]).toEqual(['page', 'page', 'page']);
  expect([at('/assets/a-1.js'), at('/look.js'), at('/icon-192.png')]).toEqual(['file', 'file', 'file']);
  expect([at('/api/users/me'), at('/api/chat/conversations'), at('/api/chat/conversations/7/messages?limit=50')]).toEqual(['data', 'data', 'data']);
  expect(at('/api/users?ids=1,2')).toBe('users');
  for (const path of ['/api/chat/stream', '/api/users/me/export', '/api/files/3/plan.pdf', '/api/keys', '/api/users?q=ana'])
    expect(at(path)).toBeNull();
  for (const where of ['before=9', 'after=9', 'around=9', 'type=order.shipped'])
    expect(at(`/api/chat/conversations/7/messages?limit=50&${where}`)).toBeNull();
  for (const path of ['/embed/c/1', '/api/openapi.json', '/health/live', '/licenses.txt'])
    expect(at(path, 'GET', 'navigate')).toBeNull();
});

test('copies end with the session', () => {
  expect([at('/api/sessions', 'POST'), at('/api/sessions/current', 'DELETE'), at('/api/accounts', 'POST')]).toEqual(['session', 'session', 'session']);
  expect([at('/api/chat/conversations/7/messages', 'POST'), at('/api/users/me', 'PATCH')]).toEqual([null, null]);
});

test('the conversations read longest ago are forgotten', () => {
  const page = (id: number) => keyOf(`https://chat.example/api/chat/conversations/${id}/messages?limit=50`);
  const keys = Array.from({ length: CONVERSATIONS_MOST + 2 }, (_, id) => page(id + 1));
  expect(surplus(['https://chat.example/api/users/me', ...keys])).toEqual([page(1), page(2)]);
  expect(surplus(keys.slice(2))).toEqual([]);
});

test('a notification says who wrote what, and where', () => {
  const pushed = { conversation: 7, seq: 9, author: 'Ana', channel: 'kitchen', body: '> **soup** is [ready](https://x.example)\n`now`' };
  expect(notificationOf(pushed)).toEqual({ title: 'Ana in #kitchen', body: 'soup is ready now', tag: 'tandem 7/9', url: '/c/7/9' });
  expect(notificationOf(pushed, 'es')).toMatchObject({ title: 'Ana en #kitchen' });
  expect(notificationOf(pushed, 'tlh')).toMatchObject({ title: 'Ana in #kitchen' });
  expect(notificationOf({ conversation: 7, seq: 9, author: 'Ana', files: ['plan.pdf'] })).toMatchObject({ title: 'Ana', body: '📎 plan.pdf' });
  expect(notificationOf({ conversation: 7, seq: 9, author: 'Ana', type: 'forward' })).toMatchObject({ body: 'Forwarded message' });
  expect(plainText('a snake_case name, __bold__ and _italic_')).toBe('a snake_case name, bold and italic');
  expect(plainText('x'.repeat(200))).toBe(`${'x'.repeat(140)}…`);
  for (const other of [null, 7, 'text', {}, { conversation: '7', seq: 9, author: 'Ana' }]) expect(notificationOf(other)).toBeNull();
});

test('quiet hours are compared in UTC', () => {
  const night = { from: '22:00', to: '07:30' };
  expect(inUtc(night, 0)).toEqual({ begins: 1320, ends: 450 });
  expect(inUtc(night, -120)).toEqual({ begins: 1200, ends: 330 }); // Berlin in summer
  expect(inUtc({ from: '23:00', to: '01:00' }, 480)).toEqual({ begins: 420, ends: 540 }); // San Francisco
  expect(inUtc(null)).toBeNull();
});
