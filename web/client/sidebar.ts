/** The sidebar: how the user arranges the list of conversations. Pure: each change returns another sidebar. */
import type { Id, Sidebar, SidebarSection } from './types';

export type SidebarChange = (old: Sidebar) => Sidebar;

const section = (id: string, name = '', conversations: Id[] = []): SidebarSection => ({ id, name, collapsed: false, conversations });

/** The sidebar of a user who has changed nothing, and of servers that store none. */
export const defaultSidebar: Sidebar = {
  version: 0,
  order: 'name',
  unread_first: false,
  sections: [section('starred'), section('channels'), section('direct')],
};

/** Return true for a section that the user has made. */
export const isOwn = ({ id }: Pick<SidebarSection, 'id'>): boolean => !['starred', 'channels', 'direct'].includes(id);

/** Return the section that a conversation was moved into, or null. */
export function sectionOf({ sections }: Sidebar, conversation: Id): SidebarSection | null {
  return sections.find((one) => one.conversations.includes(conversation)) ?? null;
}

/** Change the order of conversations. */
export function order(what: Partial<Pick<Sidebar, 'order' | 'unread_first'>>): SidebarChange {
  return (old) => ({ ...old, ...what });
}

/** Move a conversation into a section; null moves it back to the channels or direct messages. */
export function place(conversation: Id, into: string | null): SidebarChange {
  return mapSections((one) => {
    const others = one.conversations.filter((id) => id !== conversation);
    return { ...one, conversations: one.id === into ? [...others, conversation] : others };
  });
}

/** Add a section before the channels. */
export function addSection(id: string, name: string): SidebarChange {
  return (old) => {
    if (old.sections.some((one) => one.id === id)) return old;
    const at = old.sections.findIndex((one) => one.id === 'channels');
    return { ...old, sections: old.sections.toSpliced(at, 0, section(id, name)) };
  };
}

/** Rename or collapse a section. */
export function changeSection(id: string, what: Partial<Pick<SidebarSection, 'name' | 'collapsed'>>): SidebarChange {
  return mapSections((one) => (one.id === id ? { ...one, ...what } : one));
}

/** Move a section before another one, or to the end. */
export function moveSection(id: string, before: string | null): SidebarChange {
  return (old) => {
    const moved = old.sections.find((one) => one.id === id);
    const others = old.sections.filter((one) => one.id !== id);
    const at = others.findIndex((one) => one.id === before);
    return moved ? { ...old, sections: others.toSpliced(at < 0 ? others.length : at, 0, moved) } : old;
  };
}

/** Remove a section. Its conversations return to the channels and direct messages. */
export function removeSection(id: string): SidebarChange {
  return (old) => ({ ...old, sections: old.sections.filter((one) => one.id !== id || !isOwn(one)) });
}

function mapSections(change: (one: SidebarSection) => SidebarSection): SidebarChange {
  return (old) => ({ ...old, sections: old.sections.map(change) });
}
