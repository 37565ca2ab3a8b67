/** Texts about notifications: the request for permission, the levels of a conversation, and muting. */
export const notify = {
  title: 'Notifications',
  ask: 'You missed a message while you were away. Turn on notifications?',
  turnOn: 'Turn on',
  notNow: 'Not now',
  notifyAbout: 'Notify me about',
  levels: {
    all: 'All messages',
    mentions: 'Mentions only',
    nothing: 'Nothing',
  },
  default: (level: string) => `Your default (${level})`,
  defaults: {
    all: 'All messages',
    mentions: 'Mentions, keywords and direct messages',
    nothing: 'Nothing',
  },
  levelHints: {
    all: 'Every new message counts as unread',
    mentions: 'Only messages that mention you or have a keyword',
    nothing: 'No unread counts and no notifications',
  },
  mute: 'Mute',
  muteFor: 'Mute for',
  mutes: {
    hour: '1 hour',
    tomorrow: 'Until tomorrow',
    week: '1 week',
    forever: 'Until you unmute it',
  },
  mutedUntil: (moment: string) => `Muted until ${moment}`,
  muted: 'Muted until you unmute it',
  unmute: 'Unmute',
  forwarded: 'Forwarded message',
  inChannel: (author: string, channel: string) => `${author} in #${channel}`,
};
