/** The notification for a message that was pushed to this browser. Pure. */
import { notify as ar } from '../messages/ar/notify';
import { notify as de } from '../messages/de/notify';
import { notify as en } from '../messages/en/notify';
import { notify as es } from '../messages/es/notify';
import { notify as ja } from '../messages/ja/notify';
import type { Language } from '../messages/language';

/** The worker has only these texts: it is one file. */
const texts: Record<Language, typeof en> = { ar, de, en, es, ja };

/** What the server sends (chat/integrations/push.py). */
export interface Pushed {
  conversation: number;
  seq: number;
  author: string;
  channel?: string;
  body?: string;
  files?: string[];
  type?: string;
}

export interface Shown {
  title: string;
  body: string;
  /** One for each message, so that it is shown once, also if the page shows it as well. */
  tag: string;
  url: string;
}

const MOST = 140;
/** How many characters are read, so that time does not grow with the rest. */
const READ = 2_000;

/** Return the notification in a language; null if the data is not of this server. */
export function notificationOf(data: unknown, language: string | null = 'en'): Shown | null {
  const { conversation, seq, author, channel, body = '', files = [], type = '' } = (data ?? {}) as Partial<Pushed>;
  if (!Number.isSafeInteger(conversation) || !Number.isSafeInteger(seq) || typeof author !== 'string') return null;
  const words = language && Object.hasOwn(texts, language) ? texts[language as Language] : en;
  const text = plainText(body) || (files.length ? `📎 ${files.join(', ')}` : '') || (type === 'forward' ? words.forwarded : type);
  return {
    title: channel ? words.inChannel(author, channel) : author,
    body: text,
    tag: tagOf(conversation as number, seq as number),
    url: `/c/${conversation}/${seq}`,
  };
}

export function tagOf(conversation: number, seq: number): string {
  return `tandem ${conversation}/${seq}`;
}

/** Return Markdown in one line without its most frequent marks, at most 140 characters. */
export function plainText(markdown: string): string {
  const words = markdown
    .slice(0, READ)
    .replace(/^(?:[>#]+|[-*+]|\d+\.)\s+/gm, '')
    .replace(/```\w*/g, '')
    .replace(/!?\[([^\]\n]{0,200})\]\([^)\s]{0,500}\)/g, '$1')
    .replace(/[*~`]+/g, '')
    .replace(/(?<!\w)_{1,3}|_{1,3}(?!\w)/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  const letters = [...words];
  return letters.length > MOST ? `${letters.slice(0, MOST).join('')}…` : words;
}
