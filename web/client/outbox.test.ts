/** The outbox sends in order, retries with the same client_id, and loses nothing to a temporary failure. */
import { expect, test } from 'vitest';
import { Outbox } from './outbox';
import type { OutboxStorage, Outgoing } from './outgoing';
import { eventually } from './testing/fake-server';
import { Problem, unreachable } from './problem';
import type { Message } from './types';

const backoff = { first: 5, most: 10 };
const problem = (status: number) => new Problem({ status, code: 'x', detail: 'x' });

/** Make an outbox whose first posts fail with these problems, one after the other. */
function outbox(...problems: Problem[]) {
  const posts: { conversation: number; body: string; clientId: string }[] = [];
  const seen: { all: Outgoing[] } = { all: [] };
  const box = new Outbox({
    backoff,
    onChange: (all) => (seen.all = all),
    post: async (conversation, body, clientId) => {
      posts.push({ conversation, body, clientId });
      const next = problems.shift();
      if (next) throw next;
      return { client_id: clientId } as Message;
    },
  });
  return { box, posts, seen, states: () => seen.all.map((one) => one.state) };
}

test('a message is sending, then sent, and leaves when the stream brings it', async () => {
  const { box, seen, states } = outbox();
  const one = box.send(1, 'hello');
  expect(states()).toEqual(['sending']);
  await eventually(() => states()[0] === 'sent');
  box.settle([{ client_id: one.clientId } as Message]);
  expect(seen.all).toEqual([]);
});

test('a temporary failure is retried with the same client_id, and the next message waits', async () => {
  const { box, posts, states } = outbox(unreachable(), problem(503), problem(429));
  box.send(1, 'first');
  box.send(1, 'second');
  await eventually(() => states().join() === 'sent,sent');
  expect(posts.map((post) => post.body)).toEqual(['first', 'first', 'first', 'first', 'second']);
  expect(new Set(posts.map((post) => post.clientId)).size).toBe(2);
});

test('one conversation does not wait for another', async () => {
  const { box, posts, states } = outbox(new Problem({ status: 503, code: 'x', detail: 'x', retryAfter: 600 }));
  box.send(1, 'held up');
  box.send(2, 'free');
  await eventually(() => states().join() === 'waiting,sent');
  expect(posts.map((post) => post.conversation)).toEqual([1, 2]);
  box.wake();
  await eventually(() => states().join() === 'sent,sent');
});

test('a rejected message fails alone, and can be retried or discarded', async () => {
  const { box, seen, states, posts } = outbox(problem(422));
  box.send(1, 'too long');
  box.send(1, 'fine');
  await eventually(() => states().join() === 'failed,sent');
  const failed = seen.all[0] as Outgoing;
  box.retry(failed.clientId);
  await eventually(() => states().join() === 'sent,sent');
  expect(posts.at(-1)?.clientId).toBe(failed.clientId);
  box.discard(failed.clientId);
  expect(seen.all).toHaveLength(2); // sent messages cannot be discarded
});

test('all messages wait after the session has ended, and are sent after wake', async () => {
  const { box, posts, states } = outbox(problem(401));
  box.send(1, 'a');
  await eventually(() => states()[0] === 'waiting');
  box.send(1, 'b');
  box.wake();
  await eventually(() => states().join() === 'sent,sent');
  expect(posts.map((post) => post.body)).toEqual(['a', 'a', 'b']);
});

/** Storage that outlives the page. */
class FakeStorage implements OutboxStorage {
  readonly stored = new Map<string, Outgoing>();
  loadAll = () => Promise.resolve([...this.stored.values()]);
  put = (one: Outgoing) => void this.stored.set(one.clientId, one);
  drop = (clientId: string) => void this.stored.delete(clientId);
}

test('messages stored by an earlier page load are sent first; failed ones are not sent', async () => {
  const storage = new FakeStorage();
  const kept = (state: Outgoing['state'], body: string) =>
    storage.put({ clientId: body, conversation: 1, body, createdAt: '', state });
  kept('sending', 'a');
  kept('failed', 'b');
  kept('waiting', 'c');
  const posted: string[] = [];
  const post = async (_: number, body: string) => (posted.push(body), {}) as Message;
  const box = new Outbox({ post, storage, onChange: () => undefined, backoff });
  box.start();
  await eventually(() => posted.length === 2);
  box.send(1, 'd');
  await eventually(() => posted.length === 3);
  expect(posted).toEqual(['a', 'c', 'd']);
  await eventually(() => [...storage.stored.keys()].join() === 'b');
});

test('an unsent message is stored, with the problem if it failed', async () => {
  const storage = new FakeStorage();
  const problems = [unreachable(), problem(422)];
  const post = async () => {
    throw problems.shift() ?? unreachable();
  };
  const box = new Outbox({ post, storage, onChange: () => undefined, backoff });
  box.send(1, 'a');
  expect([...storage.stored.values()]).toMatchObject([{ body: 'a', state: 'sending' }]);
  await eventually(() => [...storage.stored.values()][0]?.state === 'failed');
  expect([...storage.stored.values()]).toMatchObject([{ body: 'a', problem: { status: 422 } }]);
  box.discard([...storage.stored.keys()][0] ?? '');
  expect(storage.stored.size).toBe(0);
  box.stop();
});
