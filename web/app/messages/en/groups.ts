/** Texts about user groups, which messages mention. */
const members = (count: number) => (count === 1 ? '1 member' : `${count} members`);

export const groups = {
  about: 'A message that mentions a group notifies its members in that conversation.',
  list: 'Groups',
  none: 'No groups yet',
  noneHint: 'Create one to mention several people at once, like @design.',
  create: 'New group',
  make: 'Create group',
  rename: 'Rename group',
  name: 'Name',
  nameHint: 'Lowercase letters, numbers, . _ -. People mention the group with it.',
  members,
  noMembers: 'This group has no members yet.',
  addMembers: 'Add members',
  addTo: (group: string) => `Add members to ${group}`,
  remove: (name: string) => `Remove ${name} from the group`,
  delete: 'Delete group',
  deleteQuestion: (group: string) => `Delete ${group}?`,
  deleteText: 'Messages stay, but the name notifies no one anymore.',
  deleted: 'This group was deleted.',
  more: (count: number) => `and ${count} more`,
  notify: (group: string) => `Notify ${group}?`,
  notifyText: (count: number) => `Up to ${members(count)} will get a notification.`,
};
