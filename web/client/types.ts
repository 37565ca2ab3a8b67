/**
 * What travels: the shapes of the protocol, as the server sends them. Null, false and empty fields are left
 * out.
 */

export type Id = number;
export type Kind = 'channel' | 'group' | 'direct';
export type Role = 'owner' | 'admin' | 'member';

export interface User {
  id: Id;
  name: string;
  display_name: string;
  avatar?: string | null;
  role?: string;
  about?: string;
  /** Of the tz database: `Europe/Berlin`. */
  time_zone?: string;
  /** Only of oneself: whether the others see how far one has read. */
  receipts?: 'on' | 'off';
}

export interface Profile {
  display_name?: string;
  about?: string;
  time_zone?: string;
  receipts?: 'on' | 'off';
}

/** Who reacts with an emoji; of more than a hundred people `count` tells how many they are. */
export interface Reaction {
  emoji: string;
  users: Id[];
  count?: number;
}

/** A file that a message carries, or is about to. The size in pixels is that of a picture, as it is to be seen. */
export interface SentFile {
  id: Id;
  name: string;
  size: number;
  type: string;
  width?: number;
  height?: number;
  /** There are small pictures of it. */
  preview?: boolean;
}

export interface Message {
  conversation: Id;
  seq: number;
  author: Id;
  body: string;
  client_id: string;
  created_at: string;
  edited_at?: string | null;
  deleted?: boolean;
  /** The message that it quotes. */
  reply_to?: number | null;
  /** The message in whose own list of replies it stands. */
  thread?: number | null;
  replies?: number;
  last_reply?: number;
  last_reply_at?: string;
  reactions?: Reaction[];
  pinned?: boolean;
  /** Whom it reaches by name, and how it reaches everybody. */
  mentions?: Id[];
  mentions_all?: 'channel' | 'here';
  files?: SentFile[];
}

/** What a new message points at, and what it carries. */
export interface References {
  reply_to?: number;
  thread?: number;
  files?: SentFile[];
}

export interface Pin {
  /** Who has pinned it. */
  user: Id;
  message: Message;
}

/** A thread that this person follows; `message` is the one that it began with. */
export interface FollowedThread {
  message: Message;
  read_seq: number;
  unread: number;
}

export interface Receipt {
  user: Id;
  seq: number;
}

export type Level = 'all' | 'mentions' | 'nothing';

/** What a person wants to be told of in a conversation. */
export interface Notifications {
  level: Level;
  muted_until: string | null;
}

export interface Conversation {
  id: Id;
  kind: Kind;
  name: string | null;
  topic?: string | null;
  private?: boolean;
  role?: Role | null;
  last_seq: number;
  read_seq: number;
  unread: number;
  mentions?: number;
  level?: Level;
  muted_until?: string | null;
  last_message?: Message | null;
  members?: Id[];
  created_at?: string;
  /** It can be read, and nothing else. */
  archived?: boolean;
  /** Seconds between two messages of one member. */
  slow?: number;
  /** Only those who run it write. */
  read_only?: boolean;
}

export type ConversationChange = Partial<
  Pick<Conversation, 'topic' | 'private' | 'archived' | 'slow' | 'read_only'> & { name: string }
>;
/** What admins say to everybody. */
export interface Announcement {
  id: Id;
  body: string;
  at: string;
}

export interface Channel {
  id: Id;
  name: string;
  topic?: string | null;
  members?: number;
  role?: Role | null;
}

export interface Member {
  user: Id;
  role: Role;
  joined_at?: string;
}

export interface Login {
  id: Id | string;
  device?: string | null;
  address?: string | null;
  created_at: string;
  last_seen_at?: string;
  current?: boolean;
  /** What it has open now, on all nodes. */
  streams?: number;
  sockets?: number;
}

export interface SignedIn {
  user: User;
  session: Login;
  token: string;
}

export interface Page {
  messages: Message[];
  has_before: boolean;
  has_after: boolean;
}

export interface Snapshot {
  conversations: Conversation[];
  /** Whom this person has blocked. */
  blocked: Id[];
  cursor: string;
}

export interface ConversationDraft {
  kind: Kind;
  name?: string;
  topic?: string;
  private?: boolean;
  members?: Id[];
}
