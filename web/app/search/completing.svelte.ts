/** Suggestions for the word at the caret: filters, users, conversations and days. */
import { messages as m } from '../messages';
import { nameOf } from '../names';
import type { Chat } from '../chat.svelte';
import { score } from '../switcher/match';
import { daysFor, filters, namesFor, type Option, type Word, wordAt } from './filters';

const MOST = 7;

export class Completing {
  options = $state.raw<Option[]>([]);
  /** The index of the option that Enter chooses; -1 for none. */
  at = $state(-1);
  word: Word = { name: null, typed: '', start: 0, end: 0 };

  constructor(private readonly chat: Chat) {}

  look(text: string, caret: number): void {
    this.word = wordAt(text, caret);
    this.offer(this.find());
    if (this.word.name === 'from' && this.word.typed) void this.ask(this.word);
  }

  /** Offer all filters. */
  all(caret: number): void {
    this.word = { name: null, typed: '', start: caret, end: caret };
    this.offer(filters());
  }

  close(): void {
    this.options = [];
  }

  step(by: number): void {
    const { length } = this.options;
    this.at = this.at < 0 && by < 0 ? length - 1 : (this.at + by + length) % length;
  }

  private offer(options: Option[]): void {
    const [only] = options;
    const done = options.length === 1 && only?.insert === `${this.word.name}:${this.word.typed}`;
    this.options = done ? [] : options;
    this.at = this.word.name ? 0 : -1;
  }

  private find(): Option[] {
    const { name } = this.word;
    if (name === 'from') return this.people();
    if (name === 'in') return this.places();
    return name === 'before' || name === 'after' || name === 'on' ? daysFor(this.word, new Date()) : namesFor(this.word);
  }

  private async ask(word: Word): Promise<void> {
    const found = await this.chat.api.findUsers(word.typed).catch(() => []);
    this.chat.store.takeUsers(found);
    if (this.word === word && this.options.length) this.options = this.people();
  }

  private people(): Option[] {
    const all = [...this.chat.store.view.users.values()].map((user) => ({
      option: { text: nameOf(user), hint: `@${user.name}`, insert: `from:${user.name}` },
      score: this.score(user.name, nameOf(user)),
    }));
    return best(all);
  }

  /** Return conversations. A chosen one limits the search, and nothing of it stays in the text. */
  private places(): Option[] {
    const all = this.chat.sorted.map((one) => ({
      option: { text: this.chat.title(one), hint: m.search.kinds[one.kind], insert: '', place: one.id },
      score: this.score(this.chat.title(one)),
    }));
    return best(all);
  }

  private score(...names: string[]): number | null {
    const scores = names.flatMap((name) => score(name, this.word.typed) ?? []);
    return scores.length ? Math.max(...scores) : null;
  }
}

function best(all: { option: Option; score: number | null }[]): Option[] {
  const found = all.filter((one) => one.score !== null);
  return found.sort((a, b) => (b.score ?? 0) - (a.score ?? 0)).slice(0, MOST).map((one) => one.option);
}
