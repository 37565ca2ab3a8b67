/** The messages of a conversation: its beginning, its separators, and the state of each message. */
const listed = (names: string[], more: number) => {
  const all = more ? [...names, more === 1 ? '1 other' : `${more} others`] : names;
  return all.length > 1 ? `${all.slice(0, -1).join(', ')} and ${all.at(-1)}` : (all[0] ?? '');
};
const replied = (count: number) => (count === 2 ? 'replied twice' : `replied ${count} times`);

export const timeline = {
  messagesIn: (conversation: string) => `Messages in ${conversation}`,
  beginningOf: (channel: string) => `This is the beginning of ${channel}.`,
  onlyYouAnd: (names: string) => `Only you and ${names} can read these messages.`,
  notesToYourself: 'Notes to yourself. Only you can read them.',

  addPeople: 'Add people',
  describe: 'Describe it',
  invite: 'Invite with a link',

  joined: (names: string[], more: number) => `${listed(names, more)} joined`,
  left: (names: string[], more: number) => `${listed(names, more)} left`,
  renamed: (name: string) => `The name is now ${name}`,

  new: 'New',
  newMessages: (count: number) => (count === 1 ? '1 new message' : `${count} new messages`),
  markedUnread: 'Marked unread',
  newMessagesBelow: 'New messages',
  jumpToNewest: 'Jump to newest',
  jumpToUnread: 'Jump to first unread',
  clearUnread: 'Clear unread marker',

  notLoaded: (why: string) => `Couldn't load messages. ${why}`,
  unavailable: "That message isn't available.",

  deleted: 'This message was deleted.',
  fromBlocked: 'From someone you blocked.',
  edited: '(edited)',
  editedAt: (when: string) => `Edited ${when}`,
  pinned: 'Pinned',
  saved: 'Saved',
  messageBy: (author: string, time: string) => `${author}, ${time}`,
  announced: (author: string, text: string) => `${author}: ${text}`,

  showMore: 'Show more',
  showLess: 'Show less',

  waiting: 'Waiting to be sent',
  sending: 'Sending…',
  notSent: (why: string) => `Not sent. ${why}`,

  authors: (names: string[]) => (names.length > 2 ? `${names.slice(0, 2).join(', ')} and others` : names.join(' and ')),
  repliedInThread: (authors: number, replies: number) => {
    if (replies === 1) return 'replied in a thread:';
    return `${authors === 1 ? replied(replies) : `posted ${replies} replies`} in a thread:`;
  },
};
