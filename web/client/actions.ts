/**
 * What a user does with messages, threads and users. Where it is safe, the change shows at once and is reverted if
 * the server rejects it. The stream then brings the final state.
 */
import { messagePath, query } from './paths';
import { block, defaultLevel, notify, pin, react } from './apply';
import { keyOf } from './message';
import * as model from './model';
import type { StoreContext } from './pages';
import { asProblem, Problem } from './problem';
import type { SidebarChange } from './sidebar';
import { Triage } from './triage';
import type { Id, Level, NotificationChange, Notifications, Profile, Sidebar, User } from './types';

const SIDEBAR = '/api/chat/sidebar';
/** Attempts to save a change of the sidebar that other devices overtake. */
const SIDEBAR_TRIES = 5;

export class Actions {
  /** Changes of the sidebar are saved one after the other. */
  private saving: Promise<void> = Promise.resolve();

  constructor(private readonly context: Pick<StoreContext, 'api' | 'model' | 'update'>) {}

  react(conversation: Id, seq: number, emoji: string, on: boolean): Promise<void> {
    const { me } = this.context.model();
    const known = model.findMessage(this.context.model(), conversation, seq)?.reactions;
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
    const call = () => this.context.api.react(conversation, seq, emoji, on);
    return this.optimistically(change(on, on ? 1 : -1), change(!on, 0), call);
  }

  pin(conversation: Id, seq: number, on: boolean): Promise<void> {
    const user = this.context.model().me.id;
    const change = (now: boolean) => (old: model.Model) => pin(old, { conversation, seq, user, on: now });
    return this.optimistically(change(on), change(!on), () => this.context.api.pin(conversation, seq, on));
  }

  /** Save a message for later, mark it as done, or remove it with null. */
  save(conversation: Id, seq: number, state: 'open' | 'done' | null): Promise<void> {
    const place = keyOf(conversation, seq);
    const before = this.context.model().saved.has(place);
    const change = (on: boolean) => (old: model.Model) => model.setSaved(old, place, on);
    return this.optimistically(change(state === 'open'), change(before), () =>
      new Triage(this.context.api).save(conversation, seq, state),
    );
  }

  notify(conversation: Id, what: NotificationChange): Promise<void> {
    const { me, conversations } = this.context.model();
    const known = conversations.get(conversation);
    const { level = 'all', muted_until = null, own_level = false } = known ?? {};
    const before = { level, muted_until, own_level };
    const usual = () => ({ level: defaultLevel(me, known?.kind ?? 'channel'), own_level: false });
    const chosen = (to: Level | 'default') => (to === 'default' ? usual() : { level: to, own_level: true });
    const after = { ...before, muted_until: what.muted_until === undefined ? muted_until : what.muted_until };
    const change = (next: Notifications) => (old: model.Model) => notify(old, conversation, next);
    return this.optimistically(change({ ...after, ...(what.level && chosen(what.level)) }), change(before), async () => {
      await this.context.api.notify(conversation, what);
    });
  }

  /**
   * Change the sidebar. It shows at once. If another device has changed it meanwhile, the change is repeated on that
   * device's sidebar.
   */
  rearrange(change: SidebarChange): Promise<void> {
    this.context.update({ rearranging: [...this.context.model().rearranging, change] });
    const saved = this.saving.then(() => this.saveSidebar(change));
    this.saving = saved.catch(() => undefined);
    return saved;
  }

  private async saveSidebar(change: SidebarChange): Promise<void> {
    const { api } = this.context;
    try {
      for (let tries = 1; ; tries++) {
        const saved = await api.call<Sidebar>('PUT', SIDEBAR, change(this.context.model().sidebar)).catch(asProblem);
        if (!(saved instanceof Problem)) return this.context.update(model.takeSidebar(this.context.model(), saved));
        if (saved.code !== 'sidebar_changed' || tries === SIDEBAR_TRIES) throw saved;
        this.context.update({ sidebar: await api.call<Sidebar>('GET', SIDEBAR) });
      }
    } finally {
      const { rearranging } = this.context.model();
      this.context.update({ rearranging: rearranging.filter((one) => one !== change) });
    }
  }

  block(user: Id, on: boolean): Promise<void> {
    const change = (now: boolean) => (old: model.Model) => block(old, { user, on: now, mentions: [] });
    return this.optimistically(change(on), change(!on), () => this.context.api.block(user, on));
  }

  /**
   * Follow or stop following a thread. The view changes when the stream brings the entry: only the entry has the
   * thread's read position.
   */
  follow(conversation: Id, root: number, on: boolean): Promise<void> {
    return this.context.api.follow(conversation, root, on);
  }

  /** Move a thread's read mark. A mark that fails to send is covered by the next one. */
  markThread(conversation: Id, root: number, seq: number): void {
    this.context.update(model.markThread(this.context.model(), conversation, root, seq));
    void this.context.api.markThread(conversation, root, seq).catch(() => undefined);
  }

  /**
   * Delete a message. The view changes when the stream brings the entry, because a deleted message cannot be
   * restored.
   */
  delete(conversation: Id, seq: number): Promise<void> {
    return this.context.api.deleteMessage(conversation, seq);
  }

  /** Remove the preview of a link. The view changes when the stream brings the entry, as it cannot be restored. */
  removePreview(conversation: Id, seq: number, url: string): Promise<void> {
    return this.context.api.call('DELETE', `${messagePath(conversation, seq)}/previews${query({ url })}`);
  }

  async changeProfile(profile: Profile): Promise<User> {
    const me = await this.context.api.changeProfile(profile);
    this.context.update(model.takeUsers(this.context.model(), [{ ...this.context.model().me, ...me }]));
    return me;
  }

  private async optimistically(
    apply: (old: model.Model) => model.Model,
    revert: (old: model.Model) => model.Model,
    call: () => Promise<void>,
  ): Promise<void> {
    this.context.update(apply(this.context.model()));
    try {
      await call();
    } catch (error) {
      this.context.update(revert(this.context.model()));
      throw error;
    }
  }
}
