/** Dialogs: new conversations, people, profiles, and questions before an action. */
const counted = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`;

export const dialogs = {
  forward: 'Forward message',
  forwardHint: "Everyone there sees its text. Only people who can read the original see its author and conversation.",
  findConversations: 'Find conversations',
  conversations: 'Conversations',
  noConversation: 'No conversation by that name.',
  comment: 'Comment (optional)',
  forwardTo: (count: number) => (count > 1 ? `Forward to ${count}` : 'Forward'),
  forwardedTo: (names: string[]) => `Forwarded to ${names.length > 3 ? `${names.slice(0, 3).join(', ')} and others` : names.join(', ')}.`,

  notLoaded: "Couldn't load this. Try again or reload.",

  addPeople: 'Add people',
  addPeopleTo: (conversation: string) => `Add people to ${conversation}`,
  add: (count: number) => (count > 1 ? `Add ${count} people` : 'Add'),
  mustAccept: (name: string) => `${name} needs to accept your invitation first.`,
  severalMustAccept: (count: number) => `${count} people need to accept your invitation first.`,

  findPeople: 'Find people',
  findPeopleByName: 'Find people by name',
  people: 'People',
  selected: 'Selected',
  removeName: (name: string) => `Remove ${name}`,
  noMatch: 'No one by that name.',
  onlyYou: "You're the only one here so far.",
  invitePeople: 'Invite people',
  allAdded: 'Everyone is already in this conversation.',
  searching: 'Searching…',

  newMessage: 'New message',
  startConversation: 'Start conversation',
  startGroup: 'Start group',
  groupName: 'Name of the group (optional)',
  groupNameHint: 'Without a name, it lists its members.',

  createAChannel: 'Create a channel',
  createChannel: 'Create channel',
  name: 'Name',
  nameHint: 'For example design or release-notes',
  topic: 'Topic (optional)',
  private: 'Private',
  privateHint: 'Only people who are added can find and read it.',

  notifyAll: (conversation: string) => `Notify everyone in ${conversation}?`,
  notifyHere: (conversation: string) => `Notify everyone online in ${conversation}?`,
  notifyText: (others: number | undefined, online: boolean) => {
    if (others === undefined) return 'Each of them gets a notification.';
    return online ? `It has ${counted(others, 'other member')}. Those online get a notification.` : `${counted(others, 'person').replace('persons', 'people')} will get a notification.`;
  },
  notify: 'Send and notify',

  leave: 'Leave',
  leaveQuestion: (conversation: string) => `Leave ${conversation}?`,
  leaveClosed: 'You can only rejoin if a member adds you again.',
  leaveOpen: 'You can join again from the list of channels.',

  newSection: 'New section',
  renameSection: 'Rename section',
  sectionName: 'Name',
  sectionHint: 'For example Projects. Only you see it.',
  createSection: 'Create section',

  markAllRead: 'Mark all as read',
  markAllReadQuestion: (conversations: number) => `Mark ${counted(conversations, 'conversation')} as read?`,
  markAllReadText: 'This also clears their mentions, on all your devices.',

  logOutAlso: (name: string) => `Also log out of ${name}`,
  logOut: 'Log out',
  logOutQuestion: 'Log out?',
  logOutText: (messages: number, drafts: number) => {
    const unsent = [messages && counted(messages, 'unsent message'), drafts && counted(drafts, 'draft')].filter(Boolean);
    if (!unsent.length) return 'Nothing on this device is unsent.';
    return `You have ${unsent.join(' and ')} on this device. Logging out deletes ${messages + drafts === 1 ? 'it' : 'them'}.`;
  },

  deleteAccount: 'Delete account',
  deleteAccountQuestion: 'Delete your account?',
  deleteAccountLogin: "You are logged out on all devices and can't log in again.",
  deleteAccountProfile: 'Your name becomes “Deleted user”. Your profile, picture, settings and unsent files are deleted.',
  deleteAccountLeave: 'You leave all channels and groups. Another admin there becomes the owner.',
  yourMessages: 'Your messages',
  keepMessages: 'Keep them',
  keepMessagesHint: 'Others can still read them, by “Deleted user”.',
  deleteMessages: 'Delete them',
  deleteMessagesHint: 'A “message deleted” note stays in their place.',
  typeToConfirm: (name: string) => `Type ${name} to confirm`,

  delete: 'Delete',
  deleteMessageQuestion: 'Delete this message?',
  deleteMessageText: 'This removes it for everyone. A “message deleted” note stays.',
  deletedMessage: 'Deleted message',
  messageFrom: (name: string) => `Message from ${name}`,

  notifications: 'Notifications',
  notificationsFor: (conversation: string) => `Notifications for ${conversation}`,
  setStatus: 'Set your status',

  profile: 'Profile',
  accountDisabled: 'This account is disabled. No one reads messages to it.',
  ownedBy: 'Owned by',
  editProfile: 'Edit profile',
  admin: 'admin',
  localTime: (time: string, zone: string) => `Local time ${time} (${zone})`,
  message: 'Message',
  block: 'Block',
  blockName: (name: string) => `Block ${name}`,
  blockText: "You won't be able to message each other, and their messages will be hidden. They won't be notified.",
  unblock: 'Unblock',
};
