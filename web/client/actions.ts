/**
 * What a person does with messages, threads and people. Where that is safe it shows at once, and is taken
 * back when the server refuses; the stream says what really became of it.
 */
import type { Api } from './api';
import { block, notify, pin, react } from './apply';
import * as model from './model';
import type { Id, Notifications, Profile, User } from './types';

export interface Desk {
  api: Api;
  model(): model.Model;
  become(change: model.Model): void;
}

export class Acts {
  constructor(private readonly desk: Desk) {}

  react(conversation: Id, seq: number, emoji: string, on: boolean): Promise<void> {
    const { me } = this.desk.model();
    const known = model.findMessage(this.desk.model(), conversation, seq)?.reactions;
    const count = known?.find((one) => one.emoji === emoji)?.count;
    const change = (now: boolean, by: number) => (old: model.Model) =>
      react(old, {
        conversation,
        seq,
        emoji,
        user: me.id,
        on: now,
        ...(count !== undefined && { count: count + by }),
      });
    const call = () => this.desk.api.react(conversation, seq, emoji, on);
    return this.try(change(on, on ? 1 : -1), change(!on, 0), call);
  }

  pin(conversation: Id, seq: number, on: boolean): Promise<void> {
    const user = this.desk.model().me.id;
    const change = (now: boolean) => (old: model.Model) => pin(old, { conversation, seq, user, on: now });
    return this.try(change(on), change(!on), () => this.desk.api.pin(conversation, seq, on));
  }

  notify(conversation: Id, what: Partial<Notifications>): Promise<void> {
    const known = this.desk.model().conversations.get(conversation);
    const before = { level: known?.level ?? 'all', muted_until: known?.muted_until ?? null };
    const change = (next: Notifications) => (old: model.Model) => notify(old, conversation, next);
    return this.try(change({ ...before, ...what }), change(before), async () => {
      await this.desk.api.notify(conversation, what);
    });
  }

  block(user: Id, on: boolean): Promise<void> {
    const change = (now: boolean) => (old: model.Model) => block(old, { user, on: now, mentions: [] });
    return this.try(change(on), change(!on), () => this.desk.api.block(user, on));
  }

  /** Not before the server has it: nothing tells how a thread stands but its entry. */
  follow(conversation: Id, root: number, on: boolean): Promise<void> {
    return this.desk.api.follow(conversation, root, on);
  }

  /** A mark that gets lost goes with the next one. */
  markThread(conversation: Id, root: number, seq: number): void {
    this.desk.become(model.markThread(this.desk.model(), conversation, root, seq));
    void this.desk.api.markThread(conversation, root, seq).catch(() => undefined);
  }

  /** Not before the server has it: nobody can bring back what was said. */
  delete(conversation: Id, seq: number): Promise<void> {
    return this.desk.api.deleteMessage(conversation, seq);
  }

  async changeProfile(profile: Profile): Promise<User> {
    const me = await this.desk.api.changeProfile(profile);
    this.desk.become(model.takeUsers(this.desk.model(), [{ ...this.desk.model().me, ...me }]));
    return me;
  }

  private async try(
    now: (old: model.Model) => model.Model,
    back: (old: model.Model) => model.Model,
    call: () => Promise<void>,
  ): Promise<void> {
    this.desk.become(now(this.desk.model()));
    try {
      await call();
    } catch (error) {
      this.desk.become(back(this.desk.model()));
      throw error;
    }
  }
}
