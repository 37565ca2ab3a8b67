/** The messages of a conversation: its beginning, its separators, and the state of each message. */
const replied = (count: number) => (count === 2 ? 'replied twice' : `replied ${count} times`);

export const timeline = {
  messagesIn: (conversation: string) => `Messages in ${conversation}`,
  beginningOf: (channel: string) => `This is the beginning of ${channel}.`,
  onlyYouAnd: (names: string) => `Only you and ${names} can read these messages.`,
  notesToYourself: 'Notes to yourself. Only you can read them.',

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
