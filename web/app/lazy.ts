/** The parts of the app that are fetched when first needed, so that the first page is small, or soon after it has loaded. */
import type { Component } from 'svelte';
import type { Panel } from './panels.svelte';
import type { PageName } from './route.svelte';

/** Each component receives the fields of its panel. */
export type Load = () => Promise<{ default: Component<any> }>;

export const dialogs: Record<Panel['name'], Load> = {
  switcher: () => import('./switcher/Switcher.svelte'),
  keys: () => import('./switcher/Keys.svelte'),
  newChannel: () => import('./dialogs/NewChannel.svelte'),
  newMessage: () => import('./dialogs/NewMessage.svelte'),
  section: () => import('./dialogs/SidebarSection.svelte'),
  markAllRead: () => import('./dialogs/MarkAllRead.svelte'),
  status: () => import('./dialogs/StatusMessage.svelte'),
  logOut: () => import('./dialogs/LogOut.svelte'),
  deleteAccount: () => import('./dialogs/DeleteAccount.svelte'),
  leave: () => import('./dialogs/Leave.svelte'),
  archive: () => import('./details/Archive.svelte'),
  addPeople: () => import('./dialogs/AddPeople.svelte'),
  notifications: () => import('./dialogs/Notifications.svelte'),
  mentionAll: () => import('./dialogs/MentionAll.svelte'),
  message: () => import('./dialogs/MessageMenu.svelte'),
  deleteMessage: () => import('./dialogs/DeleteMessage.svelte'),
  report: () => import('./moderation/ReportMessage.svelte'),
  remind: () => import('./triage/RemindMe.svelte'),
  schedule: () => import('./triage/ScheduleTime.svelte'),
  forward: () => import('./dialogs/Forward.svelte'),
  ban: () => import('./moderation/BanPerson.svelte'),
  history: () => import('./evidence/History.svelte'),
  delivery: () => import('./evidence/Delivery.svelte'),
  profile: () => import('./dialogs/Profile.svelte'),
  group: () => import('./dialogs/Group.svelte'),
  addToGroup: () => import('./dialogs/AddToGroup.svelte'),
  groupName: () => import('./dialogs/GroupName.svelte'),
  lightbox: () => import('./files/Lightbox.svelte'),
  emoji: () => import('./emoji/Picker.svelte'),
  confirm: () => import('./dialogs/Confirm.svelte'),
};

export const pages: Record<PageName, Load> = {
  search: () => import('./search/Search.svelte'),
  activity: () => import('./triage/Activity.svelte'),
  threads: () => import('./triage/Threads.svelte'),
  later: () => import('./triage/Later.svelte'),
  channels: () => import('./directory/Directory.svelte'),
  people: () => import('./people/People.svelte'),
  reports: () => import('./moderation/Reports.svelte'),
  settings: () => import('./settings/Settings.svelte'),
  join: () => import('./directory/Join.svelte'),
};

export const details: Load = () => import('./details/Details.svelte');
export const missing: Load = () => import('./directory/Missing.svelte');
export const notFound: Load = () => import('./directory/NotFound.svelte');

/** Fetch all parts, so that they work offline. A part that fails now is fetched when it is needed. */
export function fetchAll(): void {
  const { emoji: _, ...others } = dialogs;
  for (const load of [...Object.values(others), ...Object.values(pages), details, missing, notFound]) void load().catch(() => undefined);
}
