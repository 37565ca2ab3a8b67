/** The custom emoji of this server, as they are now. */
import { SvelteMap } from 'svelte/reactivity';
import type { Api, Entry, Id } from '../../client';
import type { CustomEmoji, CustomEmojiList, CustomEmojiState } from '../../client/schema';
import { customNames } from './find';

export class CustomEmojis {
  private readonly known = new SvelteMap<string, CustomEmoji>();
  readonly all = $derived([...this.known.values()].sort((a, b) => (a.name < b.name ? -1 : 1)));
  /** False until the list has arrived. */
  loaded = $state(false);
  /** True if the user can add one. */
  mayAdd = $state(false);
  /** How many there can be. */
  most = $state(0);
  /** Counts entries: an answer to a request from before one is asked for again. */
  private entries = 0;

  constructor(private readonly api: Api) {}

  async load(): Promise<void> {
    const before = this.entries;
    const { emoji, may_add, most } = await this.api.call<CustomEmojiList>('GET', '/api/emoji');
    if (before !== this.entries) return this.load();
    this.known.clear();
    for (const one of emoji) this.known.set(one.name, one);
    [this.mayAdd, this.most, this.loaded] = [may_add, most, true];
  }

  receive(entry: Entry): void {
    if (entry.event !== 'emoji') return;
    this.entries++;
    if (entry.data.emoji) this.known.set(entry.data.emoji.name, entry.data.emoji);
    else this.forget(entry.data.id);
  }

  /** Return the emoji of a text such as `:party-parrot:`; undefined for other texts and removed emoji. */
  of(sign: string): CustomEmoji | undefined {
    return sign.startsWith(':') ? this.known.get(sign.slice(1, -1)) : undefined;
  }

  /** Return true for a standard emoji, and for a custom one that exists. */
  has(sign: string): boolean {
    return !sign.startsWith(':') || this.of(sign) !== undefined;
  }

  /** Return the address of the picture: one that does not move, if the user or their system wants less motion. */
  pictureOf(emoji: CustomEmoji): string {
    return document.documentElement.dataset['motion'] === 'less' ? emoji.still : emoji.picture; // as `hasReducedMotion`
  }

  /** Return the emoji that a text may show, as `name=address` each. */
  in(text: string): string {
    return customNames(text)
      .flatMap((name) => this.known.get(name) ?? [])
      .map((one) => `${one.name}=${this.pictureOf(one)}`)
      .join();
  }

  async add(name: string, picture: Blob): Promise<void> {
    const type = { 'Content-Type': 'application/octet-stream' };
    const path = `/api/emoji?name=${encodeURIComponent(name)}`;
    const { emoji } = await this.api.call<CustomEmojiState>('POST', path, picture, type);
    this.known.set(emoji.name, emoji);
  }

  async remove(id: Id): Promise<void> {
    await this.api.call('DELETE', `/api/emoji/${id}`);
    this.forget(id);
  }

  private forget(id: Id): void {
    for (const one of this.known.values()) if (one.id === id) this.known.delete(one.name);
  }
}
