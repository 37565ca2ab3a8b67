/** The pages for what waits for the user: activity, followed threads, and messages saved for later. */
export const triage = {
  activity: 'Activity',
  filter: 'Show',
  kinds: { all: 'All', mentions: 'Mentions', replies: 'Replies', reactions: 'Reactions' },
  none: {
    all: 'No activity yet',
    mentions: 'No mentions yet',
    replies: 'No replies yet',
    reactions: 'No reactions yet',
  },
  noneText: {
    all: 'Mentions, replies in threads you follow, and reactions to your messages appear here.',
    mentions: 'Messages that mention you or everyone in a conversation appear here.',
    replies: 'Replies in threads you follow appear here.',
    reactions: 'Reactions to your messages appear here.',
  },
  unread: 'Unread',
  keyword: 'used one of your keywords',
  mentioned: 'mentioned you',
  mentionedAll: (name: string) => `mentioned @${name}`,
  replied: 'replied in a thread',
  reacted: (emoji: string) => `reacted with ${emoji}`,
  names: (names: string[], others: number) => {
    if (!others) return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : (names[0] ?? '');
    return `${names.join(', ')} and ${others === 1 ? '1 other' : `${others} others`}`;
  },

  threads: 'Threads',
  noThreads: 'No threads yet',
  noThreadsText: 'You follow a thread when you reply in it or someone replies to you.',
  chooseThread: 'Choose a thread to read it here.',
  thread: 'A thread',
  threadIn: (conversation: string) => `Thread in ${conversation}`,
  threadGone: 'This thread is not available.',

  later: 'Later',
  states: { open: 'Open', done: 'Done', reminders: 'Reminders' },
  noneSaved: { open: 'Nothing saved for later', done: 'Nothing done yet' },
  noneSavedText: {
    open: 'Save a message from its menu, or press A on it. Only you can see what you save.',
    done: 'Saved messages that you mark as done appear here.',
  },
  markDone: 'Mark as done',
  reopen: 'Move to open',
  remindTimes: {
    soon: 'In 20 minutes',
    hour: 'In 1 hour',
    later: 'In 3 hours',
    tomorrow: 'Tomorrow',
    week: 'Next week',
  },
  remindAt: 'Another time',
  setReminder: 'Set reminder',
  noReminders: 'No reminders',
  noRemindersText: 'Choose “Remind me” in the menu of a message, or type /remind in 20 minutes call Ben.',
  aboutMessage: 'About a message',
  postsIn: (channel: string) => `Will be posted in ${channel}`,
  changeReminder: 'Change reminder',
  removeReminder: 'Remove reminder',
  reminderText: 'Text',
  reminderAt: 'Time',
  willRemind: (when: string) => `You'll be reminded on ${when}.`,

  deleted: 'Deleted message',
  blocked: 'From someone you blocked',
  elsewhere: 'Another conversation',
};
