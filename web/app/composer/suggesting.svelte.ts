/** The suggestions for the token at the caret: local ones at once, remote ones when they arrive. */
import type { Conversation } from '../../client';
import type { Chat } from '../chat.svelte';
import { type Candidate, localCandidates, remoteCandidates } from './candidates';
import { type Token, tokenAt } from './completion';

/** Milliseconds between the last key and the request. */
const DELAY = 120;

export class Suggesting {
  token = $state.raw<Token | null>(null);
  all = $state.raw<Candidate[]>([]);
  at = $state(0);
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** The start of the token whose suggestions the user dismissed: they are not offered again for it. */
  private dismissed = -1;

  constructor(
    private readonly chat: Chat,
    private readonly conversation: () => Conversation,
  ) {}

  get open(): boolean {
    return this.token !== null && this.all.length > 0;
  }

  /** Update the suggestions after the text or the caret changed. */
  look(text: string, caret: number): void {
    const token = tokenAt(text, caret);
    if (!token) this.dismissed = -1;
    if (!token || token.start === this.dismissed) return this.close();
    [this.token, this.at] = [token, 0];
    this.all = localCandidates(token, this.chat, this.conversation());
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(token), token.kind === 'person' ? DELAY : 0);
  }

  dismiss(): void {
    this.dismissed = this.token?.start ?? -1;
    this.close();
  }

  close(): void {
    clearTimeout(this.timer);
    [this.token, this.all] = [null, []];
  }

  /** Return true if the chosen suggestion is a command whose name is already complete. */
  get complete(): boolean {
    return this.token?.kind === 'command' && this.all[this.at]?.key === this.token.typed.toLowerCase();
  }

  step(by: number): void {
    this.at = (this.at + by + this.all.length) % this.all.length;
  }

  private async ask(token: Token): Promise<void> {
    const found = await remoteCandidates(token, this.chat, this.conversation()).catch(() => null);
    if (!found || this.token !== token) return;
    const chosen = this.all[this.at]?.key;
    this.all = found;
    this.at = Math.max(0, found.findIndex((one) => one.key === chosen));
  }
}
