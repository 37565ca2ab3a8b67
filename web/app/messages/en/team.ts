/** The team's figures on the dashboard. */
const numbers = new Intl.NumberFormat('en');
const counted = (count: number, one: string) => `${numbers.format(count)} ${one}${count === 1 ? '' : 's'}`;

export const team = {
  title: 'Team',
  counting: 'Counting…',
  countedAt: (time: string) => `Counted at ${time}`,

  members: {
    title: 'Active members',
    day: 'Last 24 hours',
    week: 'Last 7 days',
    month: 'Last 30 days',
    people: 'Accounts',
    external: 'From applications',
    bots: 'Bots',
    disabled: 'Disabled',
  },

  messages: {
    title: 'Messages',
    total: 'All messages',
    month: 'Last 30 days',
    today: 'Today',
    about: (count: string) => `about ${count}`,
    perDay: 'Messages per day',
    inUtc: 'Days in UTC.',
    spoken: (day: string, most: string, today: string) => `Most on ${day}: ${most}. Today: ${today}.`,
    channels: 'Most active channels',
    otherChannels: (count: number) => counted(count, 'other public channel'),
    private: 'Private channels, groups and direct messages',
    none: 'No messages in the last 30 days.',
  },

  storage: {
    title: 'Storage',
    bytes: 'Size of files',
    files: 'Files',
    database: 'Database',
    byKind: 'Files by kind',
    kinds: {
      image: 'Images',
      video: 'Videos',
      audio: 'Audio',
      document: 'Documents',
      archive: 'Archives',
      import: 'Files of imports',
      other: 'Other files',
    },
    kindSize: (files: number, size: string) => `${size} · ${counted(files, 'file')}`,
    none: 'No files yet.',
  },

  notifications: {
    title: 'Notifications sent',
    kind: 'Kind',
    day: 'Last 24 hours',
    week: 'Last 7 days',
    failed: 'Failed in 7 days',
    push: 'Push',
    email: 'E-mail',
    since: (moment: string) => `Counted since ${moment}.`,
    notCounted: 'Nothing has been counted yet.',
    devices: (count: number) => `${counted(count, 'device')} can be notified.`,
    mailsOff: 'Notifications by e-mail are off on this server.',
  },

  hooks: {
    title: 'Integrations',
    kind: 'Kind',
    incoming: 'Incoming hooks',
    outgoing: 'Outgoing hooks',
    command: 'Slash commands',
    running: 'Working',
    failing: 'Failing',
    disabled: 'Off',
    all: 'Show all integrations',
  },
};
