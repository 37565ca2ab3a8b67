/** The emoji that this device can show, from a file of our own; read when they are first asked for. */
import address from 'emoji-picker-element-data/en/emojibase/data.json?url';

export interface Emoji {
  emoji: string;
  name: string;
  /** What it is also called: `:thumbsup:` first, then other words. */
  codes: string[];
  words: string[];
  group: number;
  /** By tone, 1 (light) to 5 (dark). */
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

export const groups = [
  'Smileys and emotion',
  'People',
  '',
  'Animals and nature',
  'Food and drink',
  'Travel and places',
  'Activities',
  'Objects',
  'Symbols',
  'Flags',
];

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
  // of those with two people only the ones of one tone
  const single = skins.filter((skin) => typeof skin.tone === 'number');
  const tones = Object.fromEntries(single.map((skin) => [skin.tone as number, spell(skin.emoji)]));
  return { emoji: spell(emoji), name: annotation, codes: shortcodes, words: tags, group, tones };
}

/** As Unicode writes it, which is how the server does; empty for what is newer than this browser's Unicode. */
export function spell(emoji: string): string {
  const isWhole = (text: string) => /^\p{RGI_Emoji}$/v.test(text);
  const bare = emoji.replaceAll('\ufe0f', '');
  return [emoji, bare].find(isWhole) ?? '';
}
