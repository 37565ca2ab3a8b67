/** Which emoji this person used last, and with which tone of skin; kept on this device. */
import { keep, kept } from '../local-storage';
import type { Emoji } from './data';

const [RECENT, TONE] = ['tandem.emoji.recent', 'tandem.emoji.tone'];
const USUAL = ['👍', '❤️', '😂', '🎉', '👀', '✅'];
const MOST = 18;

class Taste {
  recent = $state.raw<string[]>([]);
  /** 0 is none, 1 light to 5 dark. */
  tone = $state(Number(kept('device', TONE) ?? 0) || 0);

  constructor() {
    const last = (kept('device', RECENT) ?? '').split(' ').filter(Boolean);
    this.recent = [...last, ...USUAL.filter((one) => !last.includes(one))].slice(0, MOST);
  }

  used(emoji: string): void {
    this.recent = [emoji, ...this.recent.filter((one) => one !== emoji)].slice(0, MOST);
    keep('device', RECENT, this.recent.join(' '));
  }

  prefers(tone: number): void {
    this.tone = tone;
    keep('device', TONE, tone ? String(tone) : '');
  }

  /** In the tone that is preferred, where there is a choice. */
  toned(emoji: Emoji): string {
    return emoji.tones[this.tone] || emoji.emoji;
  }
}

export const taste = new Taste();
