/** Presence for the components: the client's presence as reactive state, and whether it is certain. */
import { createContext } from 'svelte';
import type { Attachment } from 'svelte/attachments';
import { type Api, type Id, Presence, type PresenceView, SharedPresenceConnection, type Tabs } from '../../client';
import { throttled } from '../throttle';
import { onScreen } from './onscreen';
import type { Look } from './labels';

/** Milliseconds without a socket that are not reported: a reload, a deployment. */
const GRACE = 8_000;
const TICK = 20_000;

export class Here {
  readonly presence: Presence;
  view: PresenceView;
  /** The current time, precise enough for `5 min ago`. */
  now = $state(Date.now());
  private away = $state(false);

  /** `witness` receives the cursor that the stream should have reached. */
  constructor(
    api: Api,
    readonly me: Id,
    witness: (cursor: string) => void,
    tabs: Tabs | null,
  ) {
    this.presence = new Presence({ api, me, onLogPosition: witness, ...(tabs && { connection: (make) => new SharedPresenceConnection(tabs, make) }) });
    this.view = $state.raw(this.presence.view);
    this.presence.subscribe(throttled((view: PresenceView) => (this.view = view)));
    const closed = $derived(this.view.socket.name !== 'open');
    $effect(() => {
      const timer = closed ? setTimeout(() => (this.away = true), GRACE) : undefined;
      if (!closed) this.away = false;
      return () => clearTimeout(timer);
    });
    $effect(() => {
      const timer = setInterval(() => (this.now = Date.now()), TICK);
      return () => clearInterval(timer);
    });
  }

  /** `unavailable`: there is no socket. `degraded`: the server itself does not receive all updates. */
  get state(): 'sure' | 'degraded' | 'unavailable' {
    if (this.away) return 'unavailable';
    return this.view.degraded ? 'degraded' : 'sure';
  }

  /** Return the presence of a user, or null while nothing is known. */
  of(id: Id): Look | null {
    const { you, people } = this.view;
    const look = id === this.me ? (you && { ...you, last_active_at: null }) : (people.get(id) ?? null);
    return look && this.state !== 'sure' ? { ...look, status: 'unknown' } : look;
  }

  typing(conversation: Id): Id[] {
    return this.view.typing.get(conversation) ?? [];
  }

  /** Watch a user or conversation while the element is on the screen. */
  watching(kind: 'users' | 'conversations', id: Id): Attachment {
    return onScreen(() => this.presence.watch(kind, id));
  }
}

export const [getHere, setHere] = createContext<Here>();
