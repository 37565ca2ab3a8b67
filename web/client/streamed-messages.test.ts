/** The text of streamed messages is whole, whatever arrives first: a page, an append or the end. */
import { expect, test } from 'vitest';
import type { Api } from './api';
import { apply } from './apply';
import { codePoints, textLength, withAppend } from './message';
import { emptyModel, findMessage, type Model, takeConversation, takeLoose, takePage } from './model';
import { Problem } from './problem';
import { StreamedMessages, type TextEntry } from './streamed-messages';
import { eventually } from './testing/fake-server';
import { makeChannel, makeUser } from './testing/fixtures';
import { randomFrom } from './testing/seeded-random';
import type { Message } from './types';

const TEXT = 'Wash the leek 🥬, cut it. स्वाद अनुसार नमक. e\u0301 👩‍🍳 done';
const LETTERS = [...TEXT];

const piece = (from: number, to: number) => LETTERS.slice(from, to).join('');
const posted = (change: Partial<Message> = {}): Message => ({
  conversation: 7,
  seq: 1,
  author: 2,
  body: '',
  client_id: 'c1',
  created_at: '2026-01-01T00:00:00.000Z',
  streaming: true,
  ...change,
});
const append = (at: number, text: string): TextEntry => ({
  event: 'append',
  id: `e.${at}`,
  data: { conversation: 7, seq: 1, at, text },
});
const finish = (length = LETTERS.length): TextEntry => ({
  event: 'finish',
  id: 'e.9999',
  data: { conversation: 7, seq: 1, state: 'complete', length },
});

/** A model with one message, and a server whose answers wait until they are released. */
function reader(...known: Message[]) {
  const asked: ((answer: Message | Problem) => void)[] = [];
  let model: Model = takeConversation(emptyModel(makeUser(1, 'ana')), makeChannel({ last_seq: 1 }));
  model = takePage(model, 7, { messages: known, has_before: false, has_after: false });
  const message = () =>
    new Promise<Message>((resolve, reject) => {
      asked.push((answer) => (answer instanceof Problem ? reject(answer) : resolve(answer)));
    });
  const streamed = new StreamedMessages(
    {
      api: { message } as unknown as Api,
      model: () => model,
      update: (change) => (model = { ...model, ...change }),
    },
    { first: 1, most: 2 },
  );
  const put = (message: Message) => {
    model = takePage(model, 7, { messages: [message], has_before: false, has_after: false });
    streamed.check([message]);
  };
  return { streamed, asked, put, message: () => findMessage(model, 7, 1), hold: (one: Message) => (model = takeLoose(model, [one])) };
}

test('appends in any division, repeated and overlapping, make the same text', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomFrom(seed);
    let message = posted();
    for (let reached = 0; reached < LETTERS.length; ) {
      const from = random() < 0.3 ? Math.floor(random() * reached) : reached;
      const to = Math.min(LETTERS.length, from + Math.floor(random() * 9));
      message = withAppend(message, { conversation: 7, seq: 1, at: from, text: piece(from, to) });
      expect(textLength(message)).toBe(codePoints(message.body));
      reached = Math.max(reached, to);
    }
    expect(message.body, `seed ${seed}`).toBe(TEXT);
  }
});

test('an append that is already there leaves the same object, and one behind the end changes nothing', () => {
  const message = posted({ body: piece(0, 20) });
  expect(withAppend(message, { conversation: 7, seq: 1, at: 0, text: piece(0, 20) })).toBe(message);
  expect(withAppend(message, { conversation: 7, seq: 1, at: 21, text: 'x' })).toBe(message);
});

test('the compacted append completes a reader who has nothing, a part, or everything', () => {
  for (const known of [0, 1, 17, LETTERS.length]) {
    const { streamed, asked, message } = reader(posted({ body: piece(0, known) }));
    streamed.handle(append(0, TEXT));
    streamed.handle(finish());
    expect(message()).toMatchObject({ body: TEXT, state: 'complete' });
    expect(message()).not.toHaveProperty('streaming');
    expect(asked).toEqual([]);
  }
});

test('a page that was read before an append is completed, with what arrives meanwhile', async () => {
  const { streamed, asked, put, message } = reader();
  streamed.handle(append(10, piece(10, 20)));
  put(posted({ body: piece(0, 10) }));
  expect(asked).toHaveLength(1);
  streamed.handle(append(20, piece(20, 30)));
  streamed.handle(append(30, piece(30, LETTERS.length)));
  streamed.handle(finish());
  asked[0]?.(posted({ body: piece(0, 22) }));
  await eventually(() => !message()?.streaming);
  expect(message()?.body).toBe(TEXT);
  expect(asked).toHaveLength(1);
});

test('a page that was read before the end does not grow forever', async () => {
  const { streamed, asked, put, message } = reader();
  streamed.handle(append(10, piece(10, LETTERS.length)));
  streamed.handle(finish());
  put(posted({ body: piece(0, 10) }));
  const { streaming: _, ...whole } = posted({ body: TEXT, state: 'complete' });
  asked[0]?.(whole);
  await eventually(() => message()?.state === 'complete');
  expect(message()).toEqual(whole);
});

test('a text that differs from its length at the end is loaded again, also when the server is busy', async () => {
  const { streamed, asked, message } = reader(posted({ body: piece(0, 10) }));
  streamed.handle(finish());
  asked[0]?.(new Problem({ status: 503, code: 'overloaded', detail: 'x' }));
  await eventually(() => asked.length === 2);
  asked[1]?.(posted({ body: TEXT, state: 'complete', streaming: false }));
  await eventually(() => message()?.body === TEXT);
});

test('a message that was edited after its end keeps the edited text when its appends are replayed', () => {
  const { streaming: _, ...edited } = posted({ body: 'Soup', state: 'complete', edited_at: '2026-01-01T00:01:00.000Z' });
  const { streamed, asked, message } = reader(edited);
  streamed.handle(append(0, TEXT));
  streamed.handle(finish());
  expect([message(), asked]).toEqual([edited, []]);
});

test('a deleted message stays deleted, and copies of different lengths are completed', () => {
  const { streamed, asked, message, hold } = reader(posted({ body: '', streaming: false, deleted: true }));
  streamed.handle(append(5, 'late'));
  streamed.handle(finish(9));
  expect([message()?.body, asked.length]).toEqual(['', 0]);
  hold(posted({ body: piece(0, 3) }));
  streamed.handle(append(3, piece(3, 5)));
  expect(asked).toHaveLength(0);
});

test('the time of many appends grows linearly with the text', () => {
  const read = (length: number) => {
    const began = process.cpuUsage();
    let model: Model = takeConversation(emptyModel(makeUser(1, 'ana')), makeChannel({ last_seq: 1 }));
    model = takePage(model, 7, { messages: [posted()], has_before: false, has_after: false });
    for (let at = 0; at < length; at += 16) model = apply(model, append(at, 'sixteen letters '));
    expect(findMessage(model, 7, 1)?.body.length).toBeGreaterThanOrEqual(length);
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1e3;
  };
  read(32_000);
  const best = (length: number) => Math.min(...Array.from({ length: 5 }, () => read(length)));
  expect(best(256_000) / Math.max(best(32_000), 1)).toBeLessThan(20);
}, 60_000);
