/** A search under way: what is typed, where one looks, and what was found; its address says the first two. */
import { untrack } from 'svelte';
import type { Id } from '../../client';
import type { Chat } from '../chat.svelte';
import { route } from '../route.svelte';
import { Completing } from './completing.svelte';
import { asTyped } from './filters';
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
    $effect(() => chat.listen((entry) => this.finding.hear(entry)));
    // back and forward
    $effect(() => {
      const find = route.find ?? '';
      untrack(() => find !== this.typed.trim() && (this.typed = find));
    });
    $effect(() => {
      const q = asTyped(this.typed);
      this.finding.ask(q ? { q, ...(this.place !== null && { conversation: this.place }) } : null);
    });
  }

  /** A conversation that was chosen, else the one that is open, unless that was widened; null: everywhere. */
  get place(): Id | null {
    const where = route.query.get('where');
    if (where !== null) return where === 'all' ? null : Number(where) || null;
    return route.conversation;
  }

  get placeName(): string {
    const placed = this.place === null ? undefined : this.chat.view.conversations.get(this.place);
    return placed ? (placed.kind === 'channel' ? '#' : '') + this.chat.title(placed) : 'this conversation';
  }

  /** What was typed stands in the address. */
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

  /** It was meant, and is offered again. */
  done(): void {
    this.recent.add(this.typed);
    this.completing.close();
  }
}
