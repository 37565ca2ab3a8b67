/**
 * A model of what a server holds for one conversation, for tests. Every action changes its data and adds an entry;
 * a fresh snapshot is read from its data.
 */
import { makeChannel } from './fixtures';
import type { Entry } from '../entry';
import * as model from '../model';
import { defaultSidebar } from '../sidebar';
import type { Conversation, Id, Level, Message, User } from '../types';

const CONVERSATION = 7;

type EntryWithoutId = Entry extends infer One ? (One extends Entry ? Omit<One, 'id'> : never) : never;

export class SimulatedServer {
  readonly entries: Entry[] = [];
  readonly messages: Message[] = [];
  private pins: { user: Id; seq: number }[] = [];
  private readonly follows = new Map<number, number>();
  private readonly receipts = new Map<Id, number>();
  private readonly blocked = new Set<Id>();
  private read = 0;
  private notice: { level: Level; muted_until: string | null } = { level: 'all', muted_until: null };

  constructor(private readonly me: User) {}

  posts(author: Id, extra: Partial<Message> = {}): Message {
    const seq = this.messages.length + 1;
    const created_at = `2026-01-01T00:00:${String(seq % 60).padStart(2, '0')}.000Z`;
    const message = { ...base(seq, author, created_at), ...extra };
    this.messages.push(message);
    if (author === this.me.id) this.read = seq;
    else this.receipts.set(author, seq);
    const root = message.thread ? this.at(message.thread) : undefined;
    if (root) this.replies(root, message);
    this.publish({ event: 'message', data: { ...message } });
    return message;
  }

  private replies(root: Message, reply: Message): void {
    if (reply.author === this.me.id) this.follows.set(root.seq, reply.seq);
    else if (root.author === this.me.id && !root.replies && !this.follows.has(root.seq)) {
      this.follows.set(root.seq, root.seq);
      this.publishThread(root.seq, reply.seq - 1, 0);
    }
    const latest = [root.last_reply_at ?? '', reply.created_at].sort()[1] as string;
    this.set({ ...root, replies: (root.replies ?? 0) + 1, last_reply: reply.seq, last_reply_at: latest });
  }

  /** Append to a streamed message. The text can begin before its end. */
  appends(seq: number, text: string, overlap: number): void {
    const old = this.at(seq);
    if (!old?.streaming) return;
    const length = [...old.body].length;
    const at = Math.max(0, length - overlap);
    this.set({ ...old, body: old.body + text });
    const known = [...old.body].slice(at).join('');
    this.publish({ event: 'append', data: { conversation: CONVERSATION, seq, at, text: known + text } });
  }

  /** End a streamed message, whose text may mention a user. */
  finishes(seq: number, state: 'complete' | 'cancelled' | 'failed', mentioned: Id | null): void {
    const old = this.at(seq);
    if (!old?.streaming) return;
    const { streaming: _, ...rest } = old;
    const mentions = mentioned && mentioned !== old.author ? { mentions: [mentioned] } : {};
    this.set({ ...rest, ...mentions, state });
    const named = 'mentions' in mentions ? { author: old.author, ...mentions } : {};
    const length = [...old.body].length;
    this.publish({ event: 'finish', data: { conversation: CONVERSATION, seq, state, length, ...named } });
  }

  /** Edit a message; `unnamed`: its new text mentions no one. */
  edits(seq: number, body: string, unnamed = false): void {
    const old = this.at(seq);
    if (!old || old.deleted || old.streaming) return;
    const { mentions, ...rest } = old;
    this.set({ ...(unnamed ? rest : old), body, edited_at: `edit ${this.entries.length}` });
    const former = unnamed && mentions && { former_mentions: { mentions } };
    this.publish({ event: 'edit', data: { ...(this.at(seq) as Message), ...former } });
  }

  deletes(seq: number): void {
    const old = this.at(seq);
    if (!old || old.deleted) return;
    const { body: _, edited_at: __, reply_to: ___, reactions: ____, pinned: _____, streaming: ______, state: _______, previews: ________, mentions, ...kept } = old;
    const { author, thread } = old;
    const reached = (mentions || thread) && { author, ...(mentions && { mentions }), ...(thread && { thread }) };
    this.set({ ...kept, body: '', deleted: true });
    this.pins = this.pins.filter((one) => one.seq !== seq);
    this.publish({ event: 'delete', data: { conversation: CONVERSATION, seq, ...reached } });
  }

  reacts(user: Id, seq: number, emoji: string, on: boolean): void {
    const old = this.at(seq);
    const users = old?.reactions?.find((one) => one.emoji === emoji)?.users ?? [];
    if (!old || old.deleted || users.includes(user) === on) return;
    const { reactions = [], ...rest } = old;
    const next = on ? [...users, user] : users.filter((one) => one !== user);
    const all = reactions.some((one) => one.emoji === emoji)
      ? reactions.map((one) => (one.emoji === emoji ? { emoji, users: next } : one))
      : [...reactions, { emoji, users: next }];
    const left = all.filter((one) => one.users.length);
    this.set(left.length ? { ...rest, reactions: left } : rest);
    this.publish({ event: 'reaction', data: { conversation: CONVERSATION, seq, emoji, user, on } });
  }

  pin(user: Id, seq: number, on: boolean): void {
    const old = this.at(seq);
    if (!old || old.deleted || Boolean(old.pinned) === on) return;
    const { pinned: _, ...rest } = old;
    this.set(on ? { ...rest, pinned: true } : rest);
    this.pins = this.pins.filter((one) => one.seq !== seq);
    if (on) this.pins.unshift({ user, seq });
    this.publish({ event: 'pin', data: { conversation: CONVERSATION, seq, user, on } });
  }

  previews(seq: number, urls: string[]): void {
    const old = this.at(seq);
    if (!old || old.deleted || old.streaming) return;
    const { previews: _, ...rest } = old;
    const previews = urls.map((url) => ({ url, title: 'Tomatoes' }));
    this.set(previews.length ? { ...rest, previews } : rest);
    this.publish({ event: 'previews', data: { conversation: CONVERSATION, seq, previews } });
  }

  follow(root: number, on: boolean): void {
    if (this.at(root)?.thread || this.follows.has(root) === on || !this.at(root)) return;
    if (on) this.follows.set(root, this.messages.length);
    else this.follows.delete(root);
    if (on) this.publishThread(root, this.messages.length);
    else this.publish({ event: 'thread', data: { conversation: CONVERSATION, seq: root, following: false } });
  }

  readsThread(root: number, seq: number): void {
    if (seq <= (this.follows.get(root) ?? Infinity)) return;
    this.follows.set(root, seq);
    this.publishThread(root, this.messages.length);
  }

  reads(user: Id, seq: number): void {
    if (user !== this.me.id) {
      if (seq <= (this.receipts.get(user) ?? 0)) return;
      this.receipts.set(user, seq);
      this.publish({ event: 'receipt', data: { conversation: CONVERSATION, user, seq } });
    } else if (seq > this.read) {
      this.read = seq;
      const { unread, mentions = 0 } = this.conversation();
      this.publish({ event: 'read', data: { conversation: CONVERSATION, seq, unread, mentions } });
    }
  }

  notifies(level: Level, muted_until: string | null): void {
    this.notice = { level, muted_until };
    this.publish({ event: 'notifications', data: { conversation: CONVERSATION, level, muted_until } });
  }

  blocks(user: Id, on: boolean): void {
    const before = this.conversation().mentions;
    this.blocked[on ? 'add' : 'delete'](user);
    const { mentions = 0 } = this.conversation();
    const changed = mentions === before ? [] : [{ conversation: CONVERSATION, mentions }];
    this.publish({ event: 'block', data: { user, on, mentions: changed } });
  }

  /** Return everything that a client could load now: the snapshot, and all data loaded on demand. */
  freshModel(): model.Model {
    const page = (messages: Message[]) => ({ messages, has_before: false, has_after: false });
    const snapshot = { conversations: [this.conversation()], blocked: [...this.blocked], invitations: [], sidebar: defaultSidebar, saved: [], cursor: '' };
    let next = model.takeSnapshot(model.emptyModel(this.me), snapshot);
    next = model.takeThreads(next, this.threads(), `e.${this.entries.length}`);
    next = model.takePage(next, CONVERSATION, page([...this.messages]));
    for (const root of this.messages.filter((one) => !one.thread).slice(0, 3)) {
      const replies = this.messages.filter((one) => one.thread === root.seq);
      next = model.takeReplies(next, CONVERSATION, root.seq, page(replies));
    }
    const pins = this.pins.map(({ user, seq }) => ({ user, message: this.at(seq) as Message }));
    next = model.takePins(next, CONVERSATION, pins);
    const receipts = [...this.receipts].map(([user, seq]) => ({ user, seq }));
    return model.takeReceipts(next, CONVERSATION, receipts);
  }

  private conversation(): Conversation {
    const beyond = this.messages.filter(
      (one) => one.seq > this.read && one.author !== this.me.id && !one.deleted,
    );
    return makeChannel({
      id: CONVERSATION,
      last_seq: this.messages.length,
      read_seq: this.read,
      unread: beyond.length,
      mentions: beyond.filter((one) => one.mentions?.includes(this.me.id) && !this.blocked.has(one.author)).length,
      ...this.notice,
      last_message: this.messages.at(-1) ?? null,
    });
  }

  private threads() {
    return [...this.follows].map(([root, read_seq]) => {
      const unread = this.messages.filter(
        (one) => one.thread === root && one.author !== this.me.id && one.seq > read_seq && !one.deleted,
      ).length;
      return { message: this.at(root) as Message, read_seq, unread };
    });
  }

  private publishThread(root: number, last_seq: number, unread?: number): void {
    const read_seq = this.follows.get(root) as number;
    const counted = unread ?? this.threads().find((one) => one.message.seq === root)?.unread ?? 0;
    const data = { conversation: CONVERSATION, seq: root, following: true, read_seq, last_seq, unread: counted };
    this.publish({ event: 'thread', data });
  }

  private at(seq: number): Message | undefined {
    return this.messages[seq - 1];
  }

  private set(message: Message): void {
    this.messages[message.seq - 1] = message;
  }

  private publish(entry: EntryWithoutId): void {
    this.entries.push({ ...entry, id: `e.${this.entries.length + 1}` } as Entry);
  }
}

function base(seq: number, author: Id, created_at: string): Message {
  return { conversation: CONVERSATION, seq, author, body: `${seq}`, client_id: `c${seq}`, created_at };
}
