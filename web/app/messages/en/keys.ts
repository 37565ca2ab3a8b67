/** The page for API keys, in the admin dashboard. */
import type { Key } from '../../../client/schema';

type Scope = Key['scopes'][number];

const scopes: Record<Scope, string> = {
  'messages:read': 'Read messages and files, also as they arrive',
  'messages:write': 'Post, edit and delete messages, react, and upload files',
  'conversations:write': 'Create conversations, and change their members and settings',
  'users:read': 'Read names and profiles',
  'users:write': 'Change its own profile',
  'presence:read': 'See who is online',
  'act-as': 'Act for other users',
  admin: 'Do what admins do, such as reading the activity log',
};

export const keys = {
  title: 'API keys',
  about: 'Programs use a key to read and post. Each key has a bot of its own.',
  create: 'Create API key',
  name: 'Name',
  nameHint: 'Its bot gets this name too.',
  scopes,
  allowed: 'What it may do',
  where: 'Where it may act',
  everywhere: 'In all conversations that its bot is a member of',
  somewhere: 'Only in the conversations I choose',
  filter: 'Filter conversations',
  noMatch: 'No conversation has that name.',
  expires: 'Expires after',
  expiries: { month: '30 days', quarter: '90 days', year: '1 year', never: 'Never' },
  made: (name: string) => `Key for ${name}`,
  copyNow: "Copy this secret now. You won't see it again.",
  secret: 'Secret',
  copied: 'Secret copied',
  next: (bot: string) => `Add @${bot} to the conversations where it should read or post.`,

  none: 'No API keys',
  noneText: 'Create one to let a program read and post.',
  list: 'Active keys',
  createdAt: (when: string) => `Created ${when}`,
  usedAt: (when: string) => `Last used ${when}`,
  neverUsed: 'Never used',
  expiresAt: (when: string) => `Expires ${when}`,
  expired: (when: string) => `Expired ${when}`,
  neverExpires: 'Never expires',
  limitedTo: (count: number) => (count === 1 ? 'Only in 1 conversation' : `Only in ${count} conversations`),
  revoke: 'Revoke',
  revokeLabel: (name: string) => `Revoke ${name}`,
  revokeQuestion: (name: string) => `Revoke the key ${name}?`,
  revokeText: 'Programs that use it are disconnected right away. Messages of its bot stay.',
  revokeYes: 'Revoke key',
  revoked: 'The key is revoked.',
};
