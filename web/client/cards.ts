/**
 * Cards: excerpts of messages that other messages link to or forward. All that are asked for at about the same time share
 * one request. What the user may not read, what is deleted and what does not exist is answered alike: null.
 */
import type { Api } from './api';
import { query } from './paths';
import { keyOf, type MessageKey } from './message';
import type * as schema from './schema';
import type { Id, MessageCard } from './types';

/** `link`: the message itself. `forward`: the message that the one at this place forwards. */
export type CardKind = 'link' | 'forward';

/** Milliseconds in which requests are gathered, such as those of a page that is shown. */
const GATHER = 30;
/** The server answers at most so many of each kind at once. */
const MOST = 100;

interface Asked {
  kind: CardKind;
  place: string;
  key: MessageKey;
  settle: (card: MessageCard | null | undefined) => void;
}

export class Cards {
  private asked: Asked[] = [];

  constructor(private readonly api: Api) {}

  /** Return a card; null if there is none for this user, undefined if the server could not be asked. */
  find(kind: CardKind, conversation: Id, seq: number): Promise<MessageCard | null | undefined> {
    return new Promise((settle) => {
      if (!this.asked.length) setTimeout(() => void this.ask(), GATHER);
      this.asked.push({ kind, place: `${conversation}.${seq}`, key: keyOf(conversation, seq), settle });
    });
  }

  private async ask(): Promise<void> {
    const asked = this.asked;
    this.asked = [];
    for (let at = 0; at < asked.length; at += MOST) await this.askFor(asked.slice(at, at + MOST));
  }

  private async askFor(asked: Asked[]): Promise<void> {
    const places = (kind: CardKind) => [...new Set(asked.filter((one) => one.kind === kind).map((one) => one.place))].join(',');
    const path = `/api/chat/cards${query({ messages: places('link'), forwards: places('forward') })}`;
    const found = await this.api.call<schema.Cards>('GET', path).catch(() => null);
    const links = new Map(found?.messages.map((one) => [keyOf(one.conversation, one.seq), one]));
    const forwards = new Map(found?.forwards.map((one) => [keyOf(one.conversation, one.seq), one.original]));
    for (const { kind, key, settle } of asked) settle(found ? ((kind === 'link' ? links : forwards).get(key) ?? null) : undefined);
  }
}
