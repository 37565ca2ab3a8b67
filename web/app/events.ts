/** How recorded actions read, in the activity log and in the settings. Pure. */
const NAMES: Record<string, string> = {
  'login.ok': 'Logged in',
  'login.failed': 'Failed log-in',
  'login.end': 'Session ended',
  'login.look': 'Sessions viewed',
  'account.create': 'Account created',
  'account.password': 'Password changed',
  'account.export': 'Data exported',
  'account.disable': 'Account disabled',
  'account.enable': 'Account enabled',
  'account.role': 'Role changed',
  'account.delete': 'Account deleted',
  'account.import': 'Authors imported',
  'reset.make': 'Reset link created',
  'reset.use': 'Password reset',
  'reset.failed': 'Reset link refused',
  'invite.make': 'Invite created',
  'invite.failed': 'Invite refused',
  'admin.refused': 'Admin call refused',
  'origin.refused': 'Other site refused',
  'limit.hit': 'Limit hit',
  'audit.read': 'Activity log viewed',
  'audit.export': 'Activity log exported',
  'report.read': 'Reports viewed',
  'report.resolve': 'Report resolved',
  'presence.look': 'Presence details viewed',
  'presence.reconcile': 'Ghosts looked for',
  'delivery.look': 'Delivery details viewed',
  'node.drain': 'Node drained',
  'node.return': 'Node resumed',
  'announcement.make': 'Announcement made',
  'announcement.end': 'Announcement ended',
  'member.role': 'Member role changed',
  'member.remove': 'Member removed',
  'member.ban': 'Member banned',
  'member.unban': 'Ban lifted',
  'link.make': 'Invite link created',
  'link.withdraw': 'Invite link revoked',
  'conversation.change': 'Conversation changed',
  'messages.import': 'Messages imported',
};

/** `mfa.added` → `Mfa added`, where nobody has named it. */
export function eventName(action: string): string {
  const words = action.replaceAll(/[._]/g, ' ');
  return NAMES[action] ?? words[0]?.toUpperCase() + words.slice(1);
}
