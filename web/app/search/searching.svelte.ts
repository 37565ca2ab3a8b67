/** The state of the search: the typed text, the conversation to search in, and the results. The address holds the first two. */
import { untrack } from 'svelte';
import type { Id } from '../../client';
import type { Chat } from '../chat.svelte';
import { labelOf } from '../conversation-label';
import { messages as m } from '../messages';
import { route } from '../route.svelte';
import { ownZone } from '../settings/zones';
import { Completing } from './completing.svelte';
import { asTyped, namesDays } from './filters';
import { Finding } from './finding.svelte';
import { Recent } from './recent.svelte';

export class Searching {
  typed = $state(route.find ?? '');
  readonly completing: Completing;
  readonly recent: Recent;
  readonly finding: Finding;

  constructor(private readonly chat: Chat) {
    this.completing = new Completing(chat);
    this.recent = new Recent(`tandem.searches.${chat.me}`);
    this.finding = new Finding(chat.api, (hits) => chat.store.loadUsers(hits.map((hit) => hit.message.author)));
    $effect(() => chat.listen((entry) => this.finding.apply(entry)));
    // follow the browser's back and forward
    $effect(() => {
      const find = route.find ?? '';
      untrack(() => find !== this.typed.trim() && (this.typed = find));
    });
    $effect(() => {
      const q = asTyped(this.typed);
      const where = this.place !== null && { conversation: this.place };
      this.finding.ask(q ? { q, ...where, ...(namesDays(q) && { zone: ownZone() }) } : null);
    });
  }

  /** Return the chosen conversation, else the open one; null to search everywhere. */
  get place(): Id | null {
    const where = route.query.get('where');
    if (where !== null) return where === 'all' ? null : Number(where) || null;
    return route.conversation;
  }

  get placeName(): string {
    const placed = this.place === null ? undefined : this.chat.view.conversations.get(this.place);
    return placed ? labelOf(this.chat, placed) : m.search.thisConversation;
  }

  /** Write the typed text into the address. */
  note(): void {
    route.ask({ find: this.typed.trim() }, true);
  }

  look(q: string, place?: Id): void {
    this.typed = q;
    this.completing.close();
    route.ask({ find: q.trim(), ...(place && { where: String(place) }) }, true);
  }

  widen(): void {
    route.ask({ where: 'all' }, true);
  }

  /** Remember the search after a result was opened or Enter was pressed. */
  done(): void {
    this.recent.add(this.typed);
    this.completing.close();
  }
}
