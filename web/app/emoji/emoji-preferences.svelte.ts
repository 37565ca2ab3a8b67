/** The user's recent emoji and skin tone, stored on this device. */
import { keep, kept } from '../local-storage';
import type { CustomEmojis } from './custom.svelte';
import type { Emoji } from './data';

const [RECENT, TONE] = ['tandem.emoji.recent', 'tandem.emoji.tone'];
const USUAL = ['👍', '❤️', '😂', '🎉', '👀', '✅'];
const MOST = 18;

class EmojiPreferences {
  recent = $state.raw<string[]>([]);
  /** The skin tone: 0 for none, 1 (light) to 5 (dark). */
  tone = $state(Number(kept('device', TONE) ?? 0) || 0);

  constructor() {
    const last = (kept('device', RECENT) ?? '').split(' ').filter(Boolean);
    this.recent = [...last, ...USUAL.filter((one) => !last.includes(one))].slice(0, MOST);
  }

  /** Return the recent emoji without custom ones that were removed. */
  known(custom: CustomEmojis): string[] {
    return this.recent.filter((one) => custom.has(one));
  }

  used(emoji: string): void {
    this.recent = [emoji, ...this.recent.filter((one) => one !== emoji)].slice(0, MOST);
    keep('device', RECENT, this.recent.join(' '));
  }

  setTone(tone: number): void {
    this.tone = tone;
    keep('device', TONE, tone ? String(tone) : '');
  }

  /** Return the emoji in the preferred skin tone, if it has one. */
  toned(emoji: Emoji): string {
    return emoji.tones[this.tone] || emoji.emoji;
  }
}

export const emojiPreferences = new EmojiPreferences();
