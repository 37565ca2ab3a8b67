/**
 * Keeps the text of streamed messages whole. Appends come in order, but a page that was read before an append can arrive
 * after it. Such a message is loaded again, once, and the appends that arrive meanwhile are applied to it.
 */
import { apply } from './apply';
import { type Backoff, delay } from './backoff';
import type { Entry } from './entry';
import { codePoints, keyOf, type MessageKey, textLength, withText } from './message';
import { changeMessage, copiesOf } from './model';
import type { StoreContext } from './pages';
import { asProblem, Problem } from './problem';
import type { Message } from './types';

export type TextEntry = Extract<Entry, { event: 'append' | 'finish' }>;

/** How far the stream has told a message: the length of its text in code points, and whether it has ended. */
interface Progress {
  length: number;
  ended: boolean;
}

/** The most messages whose progress is remembered. */
const MOST = 500;
const TRIES = 6;
const BACKOFF: Backoff = { first: 500, most: 10_000 };

export class StreamedMessages {
  private readonly progress = new Map<MessageKey, Progress>();
  /** Messages that are loaded again, with the entries that arrived since. */
  private readonly loading = new Map<MessageKey, TextEntry[]>();

  constructor(
    private readonly context: Pick<StoreContext, 'api' | 'model' | 'update'>,
    private readonly backoff = BACKOFF,
  ) {}

  handle(entry: TextEntry): void {
    const key = keyOf(entry.data.conversation, entry.data.seq);
    this.remember(key, entry);
    const waiting = this.loading.get(key);
    if (waiting) return void waiting.push(entry);
    const { conversation, seq } = entry.data;
    const known = copiesOf(this.context.model(), conversation, seq).filter((one) => one.streaming);
    this.context.update(apply(this.context.model(), entry));
    if (entry.event === 'append') return this.check(copiesOf(this.context.model(), conversation, seq));
    const broken = known.find((one) => textLength(one) !== entry.data.length);
    if (broken) void this.reload(broken);
  }

  /** Load those messages again that have less text than the stream has told. */
  check(messages: Message[]): void {
    for (const message of messages) if (message.streaming && this.isBehind(message)) void this.reload(message);
  }

  private isBehind(message: Message): boolean {
    const known = this.progress.get(keyOf(message.conversation, message.seq));
    return known !== undefined && (known.ended || textLength(message) < known.length);
  }

  private remember(key: MessageKey, { event, data }: TextEntry): void {
    const ended = event === 'finish';
    const length = ended ? data.length : data.at + codePoints(data.text);
    this.progress.delete(key);
    this.progress.set(key, { length, ended });
    if (this.progress.size > MOST) this.progress.delete(this.progress.keys().next().value as MessageKey);
  }

  private async reload({ conversation, seq }: Message): Promise<void> {
    const key = keyOf(conversation, seq);
    if (this.loading.has(key)) return;
    const entries: TextEntry[] = [];
    this.loading.set(key, entries);
    const fresh = await this.load(conversation, seq);
    this.loading.delete(key);
    if (!fresh) return void this.progress.delete(key);
    const taken = changeMessage(this.context.model(), conversation, seq, (old) => withText(old, fresh));
    this.context.update(entries.reduce(apply, taken));
  }

  private async load(conversation: number, seq: number): Promise<Message | null> {
    for (let failures = 0; failures < TRIES; failures++) {
      const found = await this.context.api.message(conversation, seq).catch(asProblem);
      if (!(found instanceof Problem)) return found;
      if (!found.temporary) return null;
      const wait = delay(failures, this.backoff, Math.random(), found.retryAfter);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    return null;
  }
}
