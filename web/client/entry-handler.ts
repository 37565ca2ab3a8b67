/**
 * What the stream brings, in order: each entry changes the view, and what it makes necessary is fetched. A
 * conversation that is not known yet is read first; what comes for it meanwhile is held back.
 */
import type { Api } from './api';
import { apply, missing } from './apply';
import type { Entry } from './entry';
import * as model from './model';
import { type Pages, peopleIn } from './pages';
import { asProblem, Problem } from './problem';
import type { Conversation, Id, Message } from './types';

export interface Desk {
  api: Api;
  pages: Pages;
  model(): model.Model;
  become(change: Partial<model.Model>): void;
  meet(ids: Id[]): void;
  settle(messages: Message[]): void;
  /** Something could not be learnt from an entry alone: read the snapshot again. */
  renew(): void;
}

export class Intake {
  private readonly held = new Map<Id, Entry[]>();

  constructor(private readonly desk: Desk) {}

  take(entry: Entry): void {
    const held = this.held.get(conversationOf(entry) ?? 0);
    if (held) return void held.push(entry);
    const unknown = missing(this.desk.model(), entry);
    if (unknown !== null) return void this.fetch(unknown, entry);
    this.desk.become(apply(this.desk.model(), entry));
    this.follow(entry);
  }

  /** A conversation as the server has just described it. */
  adopt(conversation: Conversation): Conversation {
    this.desk.become(model.takeConversation(this.desk.model(), conversation));
    this.desk.meet(peopleOf(conversation));
    return conversation;
  }

  /** What an entry points at and is not known yet. */
  private follow(entry: Entry): void {
    const { pages, meet } = this.desk;
    if (entry.event === 'message') this.followMessage(entry.data);
    if (entry.event === 'edit') meet(peopleIn(entry.data));
    if ('user' in entry.data) meet([entry.data.user]);
    if (entry.event === 'invitation' && entry.data.invited_by) meet([entry.data.invited_by]);
    if (entry.event === 'thread' && entry.data.following) pages.want(entry.data.conversation, entry.data.seq);
    if (entry.event === 'pin' && this.desk.model().pins.has(entry.data.conversation))
      pages.want(entry.data.conversation, entry.data.seq);
  }

  private followMessage(message: Message): void {
    const { pages } = this.desk;
    this.desk.meet(peopleIn(message));
    if (message.author === this.desk.model().me.id) {
      this.desk.settle([message]);
      if (message.thread) pages.want(message.conversation, message.thread);
    }
    pages.chase(message.conversation);
  }

  private async fetch(id: Id, first: Entry): Promise<void> {
    const held = [first];
    this.held.set(id, held);
    const conversation = await this.desk.api.conversation(id).catch(asProblem);
    this.held.delete(id);
    if (conversation instanceof Problem) {
      if (conversation.passing) this.desk.renew();
    } else if (conversation.role) {
      this.adopt(conversation);
      for (const entry of held) this.take(entry);
    }
  }
}

/** Those whom a list of conversations names. */
export function peopleOf(conversation: Conversation): Id[] {
  const last: Message | null | undefined = conversation.last_message;
  return [...(conversation.members ?? []), ...(last ? [last.author] : [])];
}

function conversationOf(entry: Entry): Id | null {
  if (entry.event === 'conversation') return entry.data.id;
  return 'conversation' in entry.data ? entry.data.conversation : null;
}
