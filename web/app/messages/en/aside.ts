/** The panels beside a conversation: its pinned messages, and a thread. */
export const aside = {
  close: (panel: string) => `Close ${panel.toLowerCase()}`,

  pins: 'Pinned messages',
  noPins: 'No pinned messages. Pin the ones everyone should find again.',
  pinnedBy: (name: string) => `Pinned by ${name}`,
  you: 'you',
  unpin: 'Unpin',

  thread: 'Thread',
  thisThread: 'this thread',
  follow: 'Follow',
  following: 'Following',
  followHint: 'Get notified of new replies',
  followingHint: 'You get notified of new replies',
  replies: 'Replies',
  replyCount: (count: number) => (count === 1 ? '1 reply' : `${count} replies`),
  noReplies: 'No replies yet',
  loadEarlier: 'Load earlier replies',
};
