/** Texts around an open conversation: its header, its members panel and its empty states. */
/** The server counts so many members at most. */
const COUNTED_MOST = 50_000;
const most = (count: number) => (count > COUNTED_MOST ? `${COUNTED_MOST}+` : String(count));

export const conversation = {
  none: 'No conversations yet',
  noneHint: 'Join a channel or send a direct message.',
  browseChannels: 'Browse channels',
  newMessage: 'New message',
  invitePeople: 'Invite people',
  all: 'All conversations',
  allUnread: (count: number) => `All conversations, ${count} unread`,
  details: 'Details',
  search: 'Search',
  members: 'Members',
  counts: (members: number, online: number) => `${members === 1 ? '1 member' : `${most(members)} members`} · ${online} online`,
  pinned: 'Pinned messages',
  menu: 'Conversation menu',
  notifications: 'Notifications',
  addPeople: 'Add people',
  leaveChannel: 'Leave channel',
  leaveGroup: 'Leave group',
  membersIn: (group: string, count: number) => `${group}, ${count}`,
  activeAgo: (ago: string) => `Active ${ago}`,
  onDevices: (count: number) => `On ${count} devices`,
  you: 'you',
  moreMembers: 'Not all members are shown.',
};
