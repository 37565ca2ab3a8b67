/** Texts of a conversation in a frame of another page. */
export const embed = {
  loggedOut: "You're not logged in",
  loggedOutHint: 'Reload the page, or open this conversation in a new tab.',
  refused: "This page couldn't log you in",
  refusedHint: 'Its access has expired or was withdrawn. Reload the page.',
  cookieBlocked: 'Your browser blocks cookies here',
  cookieBlockedHint: 'Open this conversation in a new tab instead.',
  openInTab: 'Open in a new tab',
  openConversation: 'Open this conversation in a new tab',
  notFound: "You can't see this conversation",
  notFoundHint: "It doesn't exist, or you're not a member.",
  archived: 'This conversation is archived',
  archivedHint: 'It can no longer be read here.',
  notJoined: "You haven't joined this channel",
  notJoinedHint: 'Join to read and write messages.',
  join: 'Join channel',
};
