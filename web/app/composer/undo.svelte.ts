/**
 * Undo send: for some seconds after a message was sent from this page, its author can take it back into the composer. The
 * message is sent at once; taking it back deletes it (deploy/decisions/0158-undo-send.md).
 */
import { SvelteSet } from 'svelte/reactivity';
import { findMessage, type Id, type Message } from '../../client';
import type { Chat } from '../chat.svelte';
import { keep, kept } from '../local-storage';
import { toasts } from '../toasts.svelte';
import type { Writing } from './writing.svelte';

export const CHOICES = [0, 5, 10, 20] as const;
const DEFAULT = 10;
const storageKey = (user: Id) => `tandem.undo.${user}`;

/** Return for how many seconds the user can undo on this device; 0 if that is off. */
export function undoSeconds(user: Id): number {
  const stored = kept('device', storageKey(user));
  return CHOICES.find((one) => String(one) === stored) ?? DEFAULT;
}

export function chooseUndo(user: Id, seconds: number): void {
  keep('device', storageKey(user), String(seconds));
}

/** The `client_id`s of the messages that can be taken back now. */
const recent = new SvelteSet<string>();

/** Let a message that is being sent be taken back for some seconds. */
export function offerUndo(chat: Chat, clientId: string): void {
  const seconds = undoSeconds(chat.me);
  if (!seconds) return;
  recent.add(clientId);
  setTimeout(() => recent.delete(clientId), seconds * 1000);
}

export const canUndo = (chat: Chat, { author, client_id, deleted, replies }: Message): boolean =>
  author === chat.me && recent.has(client_id) && !deleted && !replies;

/** Delete a message, and put its text, its files and its quote back into the composer. */
export async function undoSend(chat: Chat, message: Message, writing: Writing): Promise<void> {
  recent.delete(message.client_id);
  if (!(await toasts.try(chat.api.deleteMessage(message.conversation, message.seq, true)))) return;
  writing.takeBack(message);
  const quoted = message.reply_to && findMessage(chat.view, message.conversation, message.reply_to);
  if (quoted) writing.startReply(quoted);
  writing.focus();
}
