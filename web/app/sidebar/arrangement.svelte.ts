/** The arranged list of conversations, and how it scrolls: rows outside of the screen are not in the page. */
import { createContext, tick } from 'svelte';
import type { Attachment } from 'svelte/attachments';
import { type Conversation, type Id, shownSidebar, type SidebarChange } from '../../client';
import type { Chat } from '../chat.svelte';
import { drafted, onDrafts } from '../composer/drafts';
import { startOf } from '../direction';
import { callsToShow, unreadToShow } from '../notify/notification-rules';
import { route } from '../route.svelte';
import { toasts } from '../toasts.svelte';
import { NameOrder, type Part, partsOf, rangeOf, type Range, rowsOf, type RowKey } from './sections';

/** Rows kept in the page above and below the screen. */
const SPARE = 12;
/** Pixels between a row that is scrolled to and the edge of the list. */
const MARGIN = 40;

export interface Elsewhere {
  /** Unread conversations. */
  count: number;
  /** Messages in them that call the user. */
  calls: number;
  nearest: RowKey;
}

export interface OpenMenu {
  kind: 'conversation' | 'move' | 'section';
  row: RowKey;
  near: DOMRect;
}

export class Arrangement {
  readonly sidebar = $derived.by(() => shownSidebar(this.chat.view));
  readonly parts = $derived.by(() => this.arrange());
  readonly rows = $derived.by(() => rowsOf(this.parts));
  /** The one row that the Tab key reaches; the arrow keys move it. */
  readonly current = $derived.by(() => this.chosen());
  readonly above = $derived.by(() => this.elsewhere((top) => top + this.row <= this.top + 1));
  readonly below = $derived.by(() => this.elsewhere((top) => top >= this.top + this.height - 1));
  /** True while the direct messages begin below the screen. */
  readonly directBelow = $derived.by(() => (this.offsets.get('direct') ?? 0) - this.row >= this.top + this.height);
  /** Height of a row in pixels. */
  row = $state(33);
  /** Conversations with an unsent text. */
  drafts = $state.raw<ReadonlySet<Id>>(new Set());
  /** The menu that is open, and where. */
  menu = $state.raw<OpenMenu | null>(null);
  private top = $state(0);
  private height = $state(900);
  private active = $state<RowKey | null>(null);
  private offsets = $state.raw<ReadonlyMap<string, number>>(new Map());
  private readonly lists = new Map<string, HTMLElement>();
  private readonly names = new NameOrder();
  private list: HTMLElement | null = null;

  /** `now` returns the time in milliseconds, by which mutes end. */
  constructor(
    private readonly chat: Chat,
    private readonly now: () => number,
  ) {}

  /** Follow the drafts of this browser. Return a function that stops this. */
  followDrafts(): () => void {
    const read = () => (this.drafts = drafted(this.chat.me));
    read();
    return onDrafts(read);
  }

  /** Save a change of the arrangement, and show an error if that fails. */
  change(change: SidebarChange): Promise<boolean> {
    return toasts.try(this.chat.store.actions.rearrange(change));
  }

  isUnread = (one: Conversation): boolean => unreadToShow(one, this.now()) > 0;

  /** The scrolling list. */
  scrolls: Attachment<HTMLElement> = (list) => {
    this.list = list;
    const observer = new ResizeObserver(() => this.measure());
    observer.observe(list);
    if (list.firstElementChild) observer.observe(list.firstElementChild);
    return () => observer.disconnect();
  };

  /** The rows of one section. */
  rowsIn(id: string): Attachment<HTMLElement> {
    return (element) => {
      this.lists.set(id, element);
      return () => void this.lists.delete(id);
    };
  }

  /** Open the menu of a row at the pointer, or below the row for the keyboard. */
  openMenu(row: RowKey, element: Element, at?: MouseEvent): void {
    if (this.menu?.row === row) return; // a long press is followed by an event of its own
    const box = element.getBoundingClientRect();
    const inside = at && at.clientX > box.left && at.clientX < box.right && at.clientY > box.top && at.clientY < box.bottom;
    const near = inside ? new DOMRect(at.clientX, at.clientY) : startOf(box, MARGIN);
    this.menu = { kind: row.startsWith('s') ? 'section' : 'conversation', row, near };
  }

  /** Return the conversation of a row. */
  conversationOf(row: RowKey): Conversation | undefined {
    return this.chat.view.conversations.get(Number(row.slice(1)));
  }

  /** Read the positions from the page, after it was scrolled or laid out anew. */
  measure(): void {
    if (!this.list) return;
    this.top = this.list.scrollTop;
    this.height = this.list.clientHeight;
    this.row = this.list.querySelector<HTMLElement>('li.slot')?.offsetHeight ?? this.row;
    const offsets = new Map([...this.lists].map(([id, element]): [string, number] => [id, element.offsetTop]));
    const same = offsets.size === this.offsets.size && [...offsets].every(([id, top]) => this.offsets.get(id) === top);
    if (!same) this.offsets = offsets;
  }

  /** Return the rows of a section that are in the page. */
  range({ section, conversations }: Part): Range {
    return rangeOf(conversations.length, this.offsets.get(section.id) ?? 0, this.row, this.top, this.height, SPARE);
  }

  /** Scroll as little as possible, so that a row is on the screen. */
  reveal(key: RowKey): void {
    const top = this.topOf(key);
    if (!this.list || top === null) return;
    const { scrollTop, clientHeight } = this.list;
    if (top < scrollTop + MARGIN) this.list.scrollTop = top - MARGIN;
    else if (top + this.row > scrollTop + clientHeight - MARGIN) this.list.scrollTop = top + this.row - clientHeight + MARGIN;
    this.measure();
  }

  /** Note that a row has the focus. */
  focused(key: RowKey): void {
    this.active = key;
  }

  /** Focus a row, also one that is not in the page yet. */
  async focus(key: RowKey): Promise<void> {
    this.active = key;
    this.reveal(key);
    await tick();
    this.list?.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  }

  /** Move the focus by the arrow keys. Return false for a key that does something else. */
  step(pressed: string): boolean {
    const at = this.current ? this.rows.indexOf(this.current) : -1;
    const targets: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: this.rows.length - 1 };
    const target = targets[pressed];
    if (target === undefined) return false;
    const key = this.rows[Math.max(0, Math.min(this.rows.length - 1, target))];
    if (key) void this.focus(key);
    return true;
  }

  /** The heading above a row. */
  headingOf(key: RowKey): RowKey | null {
    const part = this.parts.find((one) => one.conversations.some(({ id }) => key === `c${id}`));
    return part ? `s${part.section.id}` : null;
  }

  private arrange(): Part[] {
    const { sorted } = this.chat;
    const ranks = this.names.ranksOf(sorted, (one) => this.chat.title(one));
    const rank = (id: Id) => ranks.get(id) ?? 0;
    return partsOf({ sidebar: this.sidebar, conversations: sorted, rank, isUnread: this.isUnread, open: route.conversation });
  }

  private chosen(): RowKey | null {
    const open: RowKey = `c${route.conversation ?? 0}`;
    return [this.active, open].find((one) => one !== null && this.rows.includes(one)) ?? this.rows[0] ?? null;
  }

  private topOf(key: RowKey): number | null {
    for (const { section, conversations } of this.parts) {
      const offset = this.offsets.get(section.id);
      if (offset === undefined) continue;
      if (key === `s${section.id}`) return offset - this.row;
      const at = conversations.findIndex(({ id }) => key === `c${id}`);
      if (at >= 0) return offset + at * this.row;
    }
    return null;
  }

  /** Count the unread conversations whose rows begin where `outside` is true. */
  private elsewhere(outside: (top: number) => boolean): Elsewhere | null {
    const found = { count: 0, calls: 0, nearest: null as RowKey | null };
    for (const { section, conversations } of this.parts) {
      const offset = this.offsets.get(section.id);
      if (offset === undefined) continue;
      conversations.forEach((one, index) => {
        const top = offset + index * this.row;
        if (!outside(top) || !this.isUnread(one)) return;
        found.count += 1;
        found.calls += callsToShow(one, this.now());
        // above the screen the last one is the nearest, below it the first one
        if (top < this.top || found.nearest === null) found.nearest = `c${one.id}`;
      });
    }
    return found.nearest === null ? null : { ...found, nearest: found.nearest };
  }
}

export const [getArrangement, setArrangement] = createContext<Arrangement>();
