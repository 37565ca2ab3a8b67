/**
 * Handles the stream's entries in order: each entry changes the model, and what it refers to is loaded. The entries
 * of an unknown conversation wait until the conversation is loaded.
 */
import { apply, missing } from './apply';
import type { Entry } from './entry';
import * as model from './model';
import { type Pages, type StoreContext, usersIn } from './pages';
import { asProblem, Problem } from './problem';
import type { StreamedMessages } from './streamed-messages';
import type { Conversation, Id, Message } from './types';

export interface EntryHandlerContext extends StoreContext {
  pages: Pages;
  streamed: StreamedMessages;
  /** Load the snapshot again, because an entry alone was not enough. */
  resync(): void;
}

export class EntryHandler {
  private readonly pending = new Map<Id, Entry[]>();

  constructor(private readonly context: EntryHandlerContext) {}

  handle(entry: Entry): void {
    const waiting = this.pending.get(conversationOf(entry) ?? 0);
    if (waiting) return void waiting.push(entry);
    const unknown = missing(this.context.model(), entry);
    if (unknown !== null) return void this.loadConversation(unknown, entry);
    if (entry.event === 'append' || entry.event === 'finish') return this.context.streamed.handle(entry);
    this.context.update(apply(this.context.model(), entry));
    this.loadReferences(entry);
  }

  /** Add a conversation that the server has just returned. */
  addConversation(conversation: Conversation): Conversation {
    this.context.update(model.takeConversation(this.context.model(), conversation));
    this.context.loadUsers(usersOf(conversation));
    return conversation;
  }

  /** Load the users and messages that an entry refers to. */
  private loadReferences(entry: Entry): void {
    const { pages, loadUsers } = this.context;
    if (entry.event === 'message') this.loadMessageReferences(entry.data);
    if (entry.event === 'edit') loadUsers(usersIn(entry.data));
    if ('user' in entry.data) loadUsers([entry.data.user]);
    if (entry.event === 'invitation' && entry.data.invited_by) loadUsers([entry.data.invited_by]);
    if (entry.event === 'thread' && entry.data.following) pages.loadMessage(entry.data.conversation, entry.data.seq);
    if (entry.event === 'pin' && this.context.model().pins.has(entry.data.conversation))
      pages.loadMessage(entry.data.conversation, entry.data.seq);
  }

  private loadMessageReferences(message: Message): void {
    const { pages } = this.context;
    this.context.loadUsers(usersIn(message));
    if (message.author === this.context.model().me.id) {
      this.context.settleOutgoing([message]);
      if (message.thread) pages.loadMessage(message.conversation, message.thread);
    }
    pages.catchUp(message.conversation);
  }

  private async loadConversation(id: Id, first: Entry): Promise<void> {
    const waiting = [first];
    this.pending.set(id, waiting);
    const conversation = await this.context.api.conversation(id).catch(asProblem);
    this.pending.delete(id);
    if (conversation instanceof Problem) {
      if (conversation.temporary) this.context.resync();
    } else if (conversation.role) {
      this.addConversation(conversation);
      for (const entry of waiting) this.handle(entry);
    }
  }
}

/** Return the users that a list of conversations shows. */
export function usersOf(conversation: Conversation): Id[] {
  const last: Message | null | undefined = conversation.last_message;
  return [...(conversation.members ?? []), ...(last ? [last.author] : [])];
}

function conversationOf(entry: Entry): Id | null {
  if (entry.event === 'conversation') return entry.data.id;
  return 'conversation' in entry.data ? entry.data.conversation : null;
}
