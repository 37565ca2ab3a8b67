/**
 * The API's types, by the names that the client uses. All come from the server's own description, `schema.ts`,
 * which `tandem openapi --types` generates.
 */
import type * as schema from './schema';
import type { Id } from './schema';

export type {
  Announcement,
  Archive,
  Archived,
  Channel,
  Channels,
  ConversationDraft,
  ConversationPatch as ConversationChange,
  Ending,
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
  Preview as LinkPreview,
  Profile,
  Reaction,
  Receipt,
  Role,
  Sidebar,
  SidebarSection,
  SignedIn,
  Snapshot,
} from './schema';

/** A user. Their settings are known only for oneself. */
export interface User extends schema.User, Partial<Pick<schema.Me, 'receipts' | 'language' | 'second_factor_required'>> {
  /** The level of conversations without one; null: as the team's, which is `all` if it is null too. */
  notify?: schema.Level | null;
  team_notify?: schema.Level | null;
  keywords?: string[];
}

export interface Conversation extends schema.Conversation {
  /** The time of creation, if this client created it. */
  created_at?: string;
}

export type ActivityItem = schema.ActivityItem;
export type ActivityKind = ActivityItem['kind'];
export type SavedMessage = schema.SavedMessage;
export type ScheduledMessage = schema.ScheduledMessage;
export type MessageCard = schema.MessageCard;

/** Notification settings of a conversation. */
export type Notifications = Pick<schema.Notifications, 'level' | 'muted_until' | 'own_level'>;

/** Changes to them. The level `default` follows the user's default. */
export type NotificationChange = Partial<Omit<Notifications, 'level'>> & { level?: Notifications['level'] | 'default' };

/** The messages and files that a new message refers to, and an application's own type and data. */
export interface References {
  reply_to?: number;
  thread?: number;
  files?: schema.File[];
  type?: string;
  data?: Record<string, unknown>;
  /** The message to forward. */
  forward?: { conversation: Id; seq: number };
}
