/**
 * What travels, by the names that the client uses. All of it is the server's own description, `schema.ts`, which
 * `tandem openapi --types` makes.
 */
import type * as schema from './schema';

export type {
  Announcement,
  Archive,
  Archived,
  Channel,
  Channels,
  ConversationDraft,
  ConversationPatch as ConversationChange,
  File as SentFile,
  FollowedThread,
  Id,
  Invitation,
  Kind,
  Level,
  Login,
  Member,
  Members,
  Message,
  NewConversation,
  Page,
  Pin,
  Profile,
  Reaction,
  Receipt,
  Role,
  SignedIn,
  Snapshot,
} from './schema';

/** Somebody; what one has chosen is known of oneself alone. */
export interface User extends schema.User, Partial<Pick<schema.Me, 'receipts' | 'second_factor_required'>> {}

export interface Conversation extends schema.Conversation {
  /** When it was begun, if by this client. */
  created_at?: string;
}

/** What a person wants to be told of in a conversation. */
export type Notifications = Pick<schema.Notifications, 'level' | 'muted_until'>;

/** What a new message points at, and what it carries. */
export interface References {
  reply_to?: number;
  thread?: number;
  files?: schema.File[];
}
