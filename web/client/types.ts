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
  reply_to?: number | null;
  thread?: number | null;
  mentions?: Id[];
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
  last_message?: Message | null;
  members?: Id[];
  created_at?: string;
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
  cursor: string;
}

export interface ConversationDraft {
  kind: Kind;
  name?: string;
  topic?: string;
  private?: boolean;
  members?: Id[];
}
