/** The sections of the sidebar with their conversations, in the order that the user chose. Pure. */
import type { Conversation, Id, Sidebar, SidebarSection } from '../../client';
import { sidebar as arrangement } from '../../client';
import { messages as m } from '../messages';
import { locale } from '../messages/language';

export interface Part {
  section: SidebarSection;
  /** The conversations to show. Of a collapsed section: those that are unread or open. */
  conversations: Conversation[];
  /** The number of conversations in the section, shown or not. */
  size: number;
}

export interface Circumstances {
  sidebar: Sidebar;
  /** Latest message first. */
  conversations: Conversation[];
  /** Return the place of a conversation among all names. */
  rank: (id: Id) => number;
  isUnread: (one: Conversation) => boolean;
  /** The conversation that is open. */
  open: Id | null;
}

/** Divide the conversations into sections. The starred section is left out while it is empty. */
export function partsOf({ sidebar, conversations, rank, isUnread, open }: Circumstances): Part[] {
  const placed = new Map(sidebar.sections.flatMap((one) => one.conversations.map((id): [Id, string] => [id, one.id])));
  const groups = new Map(sidebar.sections.map((one): [string, Conversation[]] => [one.id, []]));
  const home = (one: Conversation) => placed.get(one.id) ?? (one.kind === 'channel' ? 'channels' : 'direct');
  for (const one of conversations) groups.get(home(one))?.push(one);
  const parts = sidebar.sections.map((section): Part => {
    const all = groups.get(section.id) ?? [];
    const byName = sidebar.order === 'name' ? all.sort((a, b) => rank(a.id) - rank(b.id)) : all;
    const ordered = sidebar.unread_first ? [...byName.filter(isUnread), ...byName.filter((one) => !isUnread(one))] : byName;
    const shown = section.collapsed ? ordered.filter((one) => isUnread(one) || one.id === open) : ordered;
    return { section, conversations: shown, size: all.length };
  });
  return parts.filter((one) => one.section.id !== 'starred' || one.size);
}

/** Ranks conversations by their titles. They are sorted again only when a title has changed. */
export class NameOrder {
  private titles = new Map<Id, string>();
  private ranks = new Map<Id, number>();
  private readonly collator = new Intl.Collator(locale, { numeric: true, sensitivity: 'base' });

  /** Return the rank of each conversation. Conversations without a rank have a title only now. */
  ranksOf(conversations: Conversation[], titleOf: (one: Conversation) => string): ReadonlyMap<Id, number> {
    const titles = new Map(conversations.map((one): [Id, string] => [one.id, titleOf(one)]));
    const same = titles.size === this.titles.size && [...titles].every(([id, title]) => this.titles.get(id) === title);
    if (same) return this.ranks;
    const sorted = [...titles].sort(([a, one], [b, other]) => this.collator.compare(one, other) || a - b);
    [this.titles, this.ranks] = [titles, new Map(sorted.map(([id], rank): [Id, number] => [id, rank]))];
    return this.ranks;
  }
}

/** Names a row: a section's heading, or a conversation. */
export type RowKey = `s${string}` | `c${Id}`;

/** Return the rows from top to bottom. */
export function rowsOf(parts: Part[]): RowKey[] {
  return parts.flatMap(({ section, conversations }) => [`s${section.id}` as RowKey, ...conversations.map((one): RowKey => `c${one.id}`)]);
}

/** Return the conversation above or below the open one, among all or only the unread; undefined if there is none. */
export function neighbor(parts: Part[], open: Id | null, by: 1 | -1, fits: (one: Conversation) => boolean): Conversation | undefined {
  const all = parts.flatMap((part) => part.conversations);
  const at = all.findIndex((one) => one.id === open);
  const from = at < 0 && by < 0 ? 0 : at;
  for (let step = 1; step <= all.length; step++) {
    const next = all[(from + by * step + all.length * 2) % all.length];
    if (next && next.id !== open && fits(next)) return next;
  }
  return undefined;
}

/** A window of rows, and what is outside of it. */
export interface Range {
  first: number;
  /** The row after the last one. */
  end: number;
}

/** Return the rows of a list that are within the screen or close to it. `offset`: the top of the list. All in pixels. */
export function rangeOf(count: number, offset: number, row: number, top: number, height: number, spare: number): Range {
  const within = (index: number) => Math.max(0, Math.min(count, index));
  const first = within(Math.floor((top - offset) / row) - spare);
  return { first, end: Math.max(first, within(Math.ceil((top + height - offset) / row) + spare)) };
}

/** Return where a section goes when it moves up or down: before another section, null for the end; undefined for nowhere. */
export function moved({ sections }: Sidebar, id: string, by: 1 | -1, shown: (one: SidebarSection) => boolean): string | null | undefined {
  const others = sections.filter((one) => one.id === id || shown(one));
  const at = others.findIndex((one) => one.id === id);
  if (by < 0) return others[at - 1]?.id;
  return at + 1 >= others.length ? undefined : (others[at + 2]?.id ?? null);
}

export const { isOwn } = arrangement;

/** Return the name of a section: that of its user, or ours. */
export function titleOfSection({ id, name }: SidebarSection): string {
  const known: Record<string, string> = { starred: m.sidebar.starred, channels: m.sidebar.channels, direct: m.sidebar.directMessages };
  return name || (known[id] ?? id);
}
