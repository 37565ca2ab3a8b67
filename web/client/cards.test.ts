/** Cards: what is asked for together shares one request, and everything has an answer. */
import { expect, test, vi } from 'vitest';
import type { Api } from './api';
import { Cards } from './cards';

const card = (conversation: number, seq: number) => ({ conversation, seq, author: 1, created_at: '2026-01-01T00:00:00Z', text: 'soup' });

function cardsOver(call: (path: string) => Promise<unknown>): Cards {
  return new Cards({ call: (_: string, path: string) => call(path) } as unknown as Api);
}

test('one request answers all, also those without a card', async () => {
  const call = vi.fn(() => Promise.resolve({ messages: [card(1, 2)], forwards: [{ conversation: 5, seq: 6, original: card(1, 3) }] }));
  const cards = cardsOver(call);
  const asked = [cards.find('link', 1, 2), cards.find('link', 1, 2), cards.find('link', 9, 9), cards.find('forward', 5, 6)];
  expect(await Promise.all(asked)).toEqual([card(1, 2), card(1, 2), null, card(1, 3)]);
  expect(call.mock.calls).toEqual([['/api/chat/cards?messages=1.2%2C9.9&forwards=5.6']]);
});

test('more than a hundred are several requests; a failure is not an absence', async () => {
  const call = vi.fn(() => Promise.reject(new Error('offline')));
  const cards = cardsOver(call);
  const found = await Promise.all(Array.from({ length: 150 }, (_, n) => cards.find('link', 1, n + 1)));
  expect([call.mock.calls.length, new Set(found)]).toEqual([2, new Set([undefined])]);
});
