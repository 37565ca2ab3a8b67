/** The suggestions for what is being typed: shown at once from what is known, bettered by what was asked for. */
import type { Conversation } from '../../client';
import type { Chat } from '../chat.svelte';
import { asked, type Candidate, known } from './candidates';
import { type Token, tokenAt } from './completion';

const MOMENT = 120;

export class Suggesting {
  token = $state.raw<Token | null>(null);
  all = $state.raw<Candidate[]>([]);
  at = $state(0);
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Where suggestions were declined: they do not come back for the same word. */
  private declined = -1;

  constructor(
    private readonly chat: Chat,
    private readonly conversation: () => Conversation,
  ) {}

  get open(): boolean {
    return this.token !== null && this.all.length > 0;
  }

  /** The text or the caret has changed. */
  look(text: string, caret: number): void {
    const token = tokenAt(text, caret);
    if (!token) this.declined = -1;
    if (!token || token.start === this.declined) return this.close();
    [this.token, this.at] = [token, 0];
    this.all = known(token, this.chat, this.conversation());
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(token), token.kind === 'emoji' ? 0 : MOMENT);
  }

  decline(): void {
    this.declined = this.token?.start ?? -1;
    this.close();
  }

  close(): void {
    clearTimeout(this.timer);
    [this.token, this.all] = [null, []];
  }

  step(by: number): void {
    this.at = (this.at + by + this.all.length) % this.all.length;
  }

  private async ask(token: Token): Promise<void> {
    const found = await asked(token, this.chat, this.conversation()).catch(() => null);
    if (!found || this.token !== token) return;
    const chosen = this.all[this.at]?.key;
    this.all = found;
    this.at = Math.max(0, found.findIndex((one) => one.key === chosen));
  }
}
