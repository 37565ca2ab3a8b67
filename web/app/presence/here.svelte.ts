/** Who is here, as the components see it: the client's presence as reactive state, and how sure it is. */
import { createContext } from 'svelte';
import type { Attachment } from 'svelte/attachments';
import { type Api, type Id, Presence, type PresenceView, SharedPresenceConnection, type Tabs } from '../../client';
import { paced } from '../throttle';
import { onScreen } from './onscreen';
import type { Look } from './labels';

/** Milliseconds without a socket that are not worth a word: a reload, a deploy. */
const HICCUP = 8_000;
const TICK = 20_000;

export class Here {
  readonly presence: Presence;
  view: PresenceView;
  /** The present, as far as `5 min ago` needs it. */
  now = $state(Date.now());
  private away = $state(false);

  /** `witness` takes the cursor that the stream should have reached. */
  constructor(
    api: Api,
    readonly me: Id,
    witness: (cursor: string) => void,
    tabs: Tabs | null,
  ) {
    this.presence = new Presence({ api, me, onLogPosition: witness, ...(tabs && { connection: (make) => new SharedPresenceConnection(tabs, make) }) });
    this.view = $state.raw(this.presence.view);
    this.presence.subscribe(paced((view: PresenceView) => (this.view = view)));
    const closed = $derived(this.view.socket.name !== 'open');
    $effect(() => {
      const timer = closed ? setTimeout(() => (this.away = true), HICCUP) : undefined;
      if (!closed) this.away = false;
      return () => clearTimeout(timer);
    });
    $effect(() => {
      const timer = setInterval(() => (this.now = Date.now()), TICK);
      return () => clearInterval(timer);
    });
  }

  /** `unavailable`: nothing is heard; `degraded`: the server itself does not hear everything. */
  get state(): 'sure' | 'degraded' | 'unavailable' {
    if (this.away) return 'unavailable';
    return this.view.degraded ? 'degraded' : 'sure';
  }

  /** How somebody looks; null while nothing is known. */
  of(id: Id): Look | null {
    const { you, people } = this.view;
    const look = id === this.me ? (you && { ...you, last_active_at: null }) : (people.get(id) ?? null);
    return look && this.state !== 'sure' ? { ...look, status: 'unknown' } : look;
  }

  typing(conversation: Id): Id[] {
    return this.view.typing.get(conversation) ?? [];
  }

  /** Watches this while the element is on the screen. */
  watching(kind: 'users' | 'conversations', id: Id): Attachment {
    return onScreen(() => this.presence.watch(kind, id));
  }
}

export const [getHere, setHere] = createContext<Here>();
