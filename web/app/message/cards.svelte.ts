/** The cards of messages that other messages link to or forward, as this page has them. Edits and deletions show at once. */
import { SvelteMap } from 'svelte/reactivity';
import { type CardKind, Cards, findMessage, type Id, type MessageCard } from '../../client';
import type { Chat } from '../chat.svelte';

/** Milliseconds after which a card is asked for again: no entries arrive about channels that the user has not joined. */
const FRESH = 5 * 60_000;
/** Characters of a text, as the server cuts it. */
const MOST = 400;

interface Known {
  card: MessageCard | null;
  at: number;
}

class ShownCards {
  private readonly known = new SvelteMap<string, Known>();
  private readonly waiting = new Set<string>();
  private readonly cards: Cards;

  constructor(private readonly chat: Chat) {
    this.cards = new Cards(chat.api);
    chat.listen((entry) => {
      if (entry.event === 'edit') this.change(entry.data.conversation, entry.data.seq, [...entry.data.body].slice(0, MOST).join(''));
      else if (entry.event === 'delete') this.change(entry.data.conversation, entry.data.seq, null);
    });
  }

  /** Return the card; null if there is none, or not yet. */
  of(kind: CardKind, conversation: Id, seq: number): MessageCard | null {
    const here = kind === 'link' && findMessage(this.chat.view, conversation, seq);
    if (here) return here.deleted ? null : cardOf(here);
    return this.known.get(keyFor(kind, conversation, seq))?.card ?? null;
  }

  /** Ask for a card, unless it is known. */
  async load(kind: CardKind, conversation: Id, seq: number): Promise<void> {
    const key = keyFor(kind, conversation, seq);
    const age = Date.now() - (this.known.get(key)?.at ?? 0);
    if (age < FRESH || this.waiting.has(key) || (kind === 'link' && findMessage(this.chat.view, conversation, seq))) return;
    this.waiting.add(key);
    const card = await this.cards.find(kind, conversation, seq);
    this.waiting.delete(key);
    if (card === undefined) return;
    if (card) this.chat.store.loadUsers([card.author]);
    this.known.set(key, { card, at: Date.now() });
  }

  private change(conversation: Id, seq: number, text: string | null): void {
    for (const [key, { card, at }] of this.known)
      if (card?.conversation === conversation && card.seq === seq) this.known.set(key, { card: text === null ? null : { ...card, text }, at });
  }
}

const keyFor = (kind: CardKind, conversation: Id, seq: number) => `${kind} ${conversation}/${seq}`;

function cardOf(message: NonNullable<ReturnType<typeof findMessage>>): MessageCard {
  const { conversation, seq, author, created_at, body, files } = message;
  return { conversation, seq, author, created_at, text: body, ...(files && { files: files.length }) };
}

const pages = new WeakMap<Chat, ShownCards>();

export function cardsOf(chat: Chat): ShownCards {
  const known = pages.get(chat) ?? new ShownCards(chat);
  pages.set(chat, known);
  return known;
}
