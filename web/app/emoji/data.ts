/** The emoji that this browser can show, from a file of the app; loaded on first use. */
import address from 'emoji-picker-element-data/en/emojibase/data.json?url';

export interface Emoji {
  emoji: string;
  name: string;
  /** Short names, such as `thumbsup` for `:thumbsup:`. */
  codes: string[];
  /** Other words to find it by. */
  words: string[];
  group: number;
  /** Variants by skin tone, 1 (light) to 5 (dark). */
  tones: Partial<Record<number, string>>;
}

interface Raw {
  emoji: string;
  annotation: string;
  shortcodes?: string[];
  tags?: string[];
  group: number;
  skins?: { tone: number | number[]; emoji: string }[];
}


let reading: Promise<Emoji[]> | null = null;

export function readEmoji(): Promise<Emoji[]> {
  reading ??= fetch(address)
    .then((response) => response.json() as Promise<Raw[]>)
    .then((all) => all.map(emojiOf).filter((one) => one.emoji))
    .catch((error: unknown) => {
      reading = null;
      throw error;
    });
  return reading;
}

function emojiOf({ emoji, annotation, shortcodes = [], tags = [], group, skins = [] }: Raw): Emoji {
  // of emoji with two people, only the variants with one tone
  const single = skins.filter((skin) => typeof skin.tone === 'number');
  const tones = Object.fromEntries(single.map((skin) => [skin.tone as number, spell(skin.emoji)]));
  return { emoji: spell(emoji), name: annotation, codes: shortcodes, words: tags, group, tones };
}

/** Return the spelling that Unicode recommends, which the server uses too; empty for an emoji unknown to this browser. */
export function spell(emoji: string): string {
  const isWhole = (text: string) => /^\p{RGI_Emoji}$/v.test(text);
  const bare = emoji.replaceAll('\ufe0f', '');
  return [emoji, bare].find(isWhole) ?? '';
}
