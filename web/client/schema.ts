/** What travels, as the server describes it. Made by `tandem openapi --types`: what is changed here is lost. */

/** The latest first; after `next` it goes on. */
export interface Activity {
  rows: ActivityRow[];
  next: Id | null;
}

/** A security event of the caller's own account; address and device are those of an admin never. */
export interface ActivityRow {
  id: Id;
  at: string;
  action: string;
  /** The caller did it; null where nobody was logged in, as at a failed log-in. */
  own: boolean | null;
  address: string | null;
  session: Id | null;
  device: string;
  times: number;
}

/** Whom it is asked about. */
export interface Addressee {
  id: Id;
  name: string;
  disabled: boolean;
}

/** What stands above all conversations, if anything. */
export interface Announced {
  announcement: Announcement | null;
}

/** What admins say to everybody. */
export interface Announcement {
  id: Id;
  body: string;
  at: string;
}

/** A page of it, the latest begun first. */
export interface Archive {
  conversations: Archived[];
  next?: Id;
}

/** What I am in and nobody writes to any more; channels do not list their members. */
export interface Archived {
  id: Id;
  kind: Kind;
  name: string;
  topic: string;
  private: boolean;
  role: Role;
  members?: Id[];
}

/** The latest first; after `next` it goes on. */
export interface Audit {
  rows: AuditRow[];
  next: Id | null;
}

/** What was done with powers, and where from. */
export interface AuditRow {
  id: Id;
  at: string;
  actor: Id | null;
  action: string;
  subject: Id | null;
  detail: Record<string, unknown>;
  address: string | null;
  session: Id | null;
  device: string;
  /** How many equal events this row stands for. */
  times: number;
}

/** As they stand in the request. */
export interface AuthorNames {
  names: string[];
}

/** Who is kept out, by whom and why. */
export interface Ban {
  user: Id;
  by: Id;
  reason: string;
  at: string;
}

/** The reason of a ban, for owners and admins. */
export interface BanForm {
  reason?: string;
}

/** Who is kept out; `next` stands when there are more. */
export interface Bans {
  bans: Ban[];
  next?: Id;
}

/** Report that this device is in use, or has been idle for a while. */
export interface Beat {
  type: 'active' | 'idle';
}

/** Whom one has nothing to do with, or has again; and where other mentions count now. On one's own devices. */
export interface BlockChange {
  user: Id;
  on: boolean;
  mentions: CountedMentions[];
}

/** Whom this person has blocked. */
export interface Blocked {
  blocked: Id[];
}

/** The stream is about to close. */
export interface Bye {
  reason: 'drain' | 'age' | 'slow' | 'revoked' | 'expired' | 'epoch';
}

/** How the messages and presence that a node sends itself by way of its neighbours have fared; times are seconds. */
export interface Canary {
  ok: boolean;
  flights: number;
  failed: number;
  /** The last neighbour. */
  through: string;
  p50: number | null;
  p99: number | null;
  flip_p50: number | null;
  flip_p99: number | null;
  gaps?: number;
  repeats?: number;
}

/** A public channel, with or without me in it. */
export interface Channel {
  id: Id;
  name: string;
  topic: string;
  members: number;
  role: Role | null;
}

/** Public channels, a page of them. */
export interface Channels {
  channels: Channel[];
  next?: string;
}

/** A message without its text: its place, and when and by which node it was committed. */
export interface Committed {
  conversation: Id;
  seq: Id;
  author: Id;
  position: number;
  committed_at: string;
  node: string | null;
}

/** A conversation as one person sees it; channels do not list their members. */
export interface Conversation {
  id: Id;
  kind: Kind;
  name: string;
  topic: string;
  private: boolean;
  /** It can be read, and nothing else. */
  archived?: boolean;
  /** Seconds between two messages of one member. */
  slow?: number;
  /** Only those who run it write. */
  read_only?: boolean;
  role: Role | null;
  last_seq: number;
  read_seq: number;
  unread: number;
  mentions: number;
  level: Level;
  muted_until: string | null;
  last_message: Message | null;
  members?: Id[];
}

/**
 * A conversation to create. Groups and direct conversations are always private.
 *
 * A direct conversation has exactly one member, who may be the creator.
 */
export interface ConversationDraft {
  kind: 'channel' | 'group' | 'direct';
  name?: string | null;
  topic?: string;
  private?: boolean;
  members?: number[];
}

/**
 * The fields to change; the others stay.
 *
 * `slow` is the number of seconds between two messages of one user, 0 for no limit.
 */
export interface ConversationPatch {
  name?: string | null;
  topic?: string | null;
  private?: boolean | null;
  archived?: boolean | null;
  slow?: number | null;
  read_only?: boolean | null;
}

/**
 * What a conversation is now; to a newcomer also how it stands.
 *
 * `archived`, `slow` and `read_only` stand only while they are so.
 */
export interface ConversationState {
  id: Id;
  kind: Kind;
  name: string;
  topic: string;
  private: boolean;
  archived?: boolean;
  slow?: number;
  read_only?: boolean;
  last_seq?: number;
  read_seq?: number;
  unread?: number;
  mentions?: number;
  level?: Level;
  muted_until?: string | null;
  last_message?: Message | null;
  members?: Id[];
}

/** The new text of a message. `files`: the files to keep; all of them if it is left out. */
export interface Correction {
  body: string;
  files?: number[] | null;
}

/** How many mentions count in a conversation. */
export interface CountedMentions {
  conversation: Id;
  mentions: number;
}

/** The server itself does not hear everything, or does again. */
export interface Degraded {
  type: 'degraded';
  on: boolean;
}

/** Why somebody did or did not get a message. */
export interface Delivery {
  message: Committed;
  user: Addressee;
  member: boolean;
  streams: StreamRecord[];
  read_at: string | null;
  outcome: 'author' | 'read' | 'not_member' | 'deleted' | 'disabled' | 'handed' | 'not_handed' | 'no_stream';
  why: string;
  /** Null while the registry cannot be asked. */
  now: Evidence | null;
}

/** What one login of a person has open on one node. */
export interface Device {
  session: Id;
  node: string;
  streams: number;
  sockets: number;
  active: boolean;
  lingers_until: string | null;
  /** When its node last renewed its lease; null: that one is lost. */
  heard: string | null;
  name?: string;
  address?: string;
}

/** The new state of an account. */
export interface Disabling {
  disabled: boolean;
}

/**
 * A message to post. `client_id` is chosen by the client: posting it again finds the message of the first
 * attempt.
 *
 * `reply_to` is a message to quote, `thread` the root of the thread to reply in. With `files`, the text may be
 * empty.
 */
export interface Draft {
  body?: string;
  client_id: string;
  reply_to?: number | null;
  thread?: number | null;
  files?: number[];
}

/** The body of a batch. Each message is validated later, alone. */
export interface DraftBatch {
  messages: unknown[];
}

/** What a node was told. */
export interface Drained {
  name: string;
  draining: boolean;
}

/** An order to drain, or to resume. */
export interface Draining {
  draining: boolean;
}

/** What stood there before, the latest first; `next` stands when there are more. */
export interface Edits {
  edits: Kept[];
  next?: number;
}

/** An entry of the log, as the long poll carries it. */
export interface Event {
  id: string;
  event: string;
  data: Record<string, unknown>;
}

/** The entries after a cursor; `reset` says why that cursor means nothing here. */
export interface Events {
  events: Event[];
  cursor: string;
  reset?: 'too_old' | 'other_epoch' | 'bad_cursor';
}

/** Why somebody is shown as here or not: `truth` is what they are, `mode` what they have chosen to look like. */
export interface Evidence {
  user: PresenceRecord;
  truth: Status;
  mode: Mode;
  last_active_at: string | null;
  why: string;
  devices: Device[];
}

/** The second factors of the caller. */
export interface Factors {
  /** When the authenticator app was confirmed; null: there is none. */
  authenticator_since: string | null;
  passkeys: Passkey[];
  /** How many are left. */
  recovery_codes: number;
}

/** What a message carries, or is about to. */
export interface File {
  id: Id;
  name: string;
  size: number;
  type: string;
  /** Of a picture in pixels, as it is to be seen. */
  width?: number;
  height?: number;
  /** There are small pictures of it. */
  preview?: boolean;
}

/** The first code that a new authenticator app shows. */
export interface FirstCode {
  totp: string;
}

/** A thread that this person follows, by the message it began with. */
export interface FollowedThread {
  message: Message;
  read_seq: number;
  unread: number;
}

/** The newest first; `next` goes on below them. */
export interface Found {
  results: Hit[];
  next: string | null;
}

/** How a node is. */
export interface Health {
  status: 'live' | 'ready' | 'degraded';
  node: string;
}

/** First: whom the server takes one for; `heartbeat`: seconds between its pings. */
export interface Hello {
  type: 'hello';
  node: string;
  heartbeat: number;
  you: Own;
  witness: string;
  degraded: boolean;
}

/** They may no longer be seen. */
export interface Hidden {
  type: 'hidden';
  users: Id[];
}

/** A message, and the part of it that answers, as plain text: `true` marks what was looked for. */
export interface Hit {
  message: Message;
  highlight: [string, boolean][];
}

export type Id = number;

/** An open invitation to a conversation. Nothing of it can be read before it is accepted. */
export interface Invitation {
  conversation: Id;
  kind: Kind;
  name: string;
  invited_by: Id;
  /** Counted up to 1,000. */
  members: number;
  at: string;
}

/** An invitation is open, or was declined; joining closes it, too. On the invited user's devices. */
export interface InvitationChange {
  conversation: Id;
  open: boolean;
  kind?: Kind;
  name?: string;
  invited_by?: Id;
  members?: number;
  at?: string;
}

/** The open invitations of a user. */
export interface Invitations {
  invitations: Invitation[];
}

/** The number of accounts that an invitation allows, and the days until it expires. */
export interface InviteForm {
  uses?: number;
  days?: number;
}

/** The code of an invite link. */
export interface JoinForm {
  code: string;
}

/** What stood in a message until `at`, when `user` replaced or deleted it. */
export interface Kept {
  /** From 1, the oldest. */
  number: number;
  body: string;
  user: Id;
  at: string;
}

export type Kind = 'channel' | 'group' | 'direct';

export type Level = 'all' | 'mentions' | 'nothing';

/** A link that still lets somebody in. */
export interface Link {
  id: Id;
  uses_left: number;
  by: Id;
  made_at: string;
  expires_at: string;
  /** Told once, when it is made. */
  code?: string;
}

/** The number of users who can join by a link, and the days until it expires. */
export interface LinkForm {
  uses?: number;
  days?: number;
}

/** The links of a conversation. */
export interface Links {
  links: Link[];
}

/** A log-in. `name` may be any text: an impossible name gets the same answer as a wrong password. */
export interface LogIn {
  name: string;
  password: string;
  device?: string;
}

/** One login of a person. */
export interface Login {
  id: Id;
  device: string;
  address: string | null;
  created_at: string;
  last_seen_at: string;
  current: boolean;
  /** What it has open now, on all nodes. */
  streams: number;
  sockets: number;
}

/** The sessions of a user. */
export interface Logins {
  sessions: Login[];
  /** Beyond so many, a log-in ends the longest unused. */
  limit: number;
}

/** Oneself. */
export interface Me {
  id: Id;
  name: string;
  display_name: string;
  role: string;
  about: string;
  /** Of the tz database: `Europe/Berlin`; empty for none. */
  time_zone: string;
  avatar: string;
  /** The account has been disabled by an admin. */
  disabled?: boolean;
  /** Whether the others see how far one has read. */
  receipts: 'on' | 'off';
  /** An admin who has no admin rights until they set up a second factor. */
  second_factor_required?: boolean;
}

/** Somebody in a conversation; with `?presence=1`, whether they are here, where that may be seen. */
export interface Member {
  user: Id;
  role: Role;
  joined_at: string;
  presence?: PresenceRecord;
}

/** What somebody is in a conversation now; no role: no longer in it. */
export interface MemberChange {
  conversation: Id;
  user: Id;
  role: Role | null;
}

/** A page by user id; `next` stands when there are more. */
export interface Members {
  members: Member[];
  next?: Id;
}

/** A message; what is null, false or empty is left out. */
export interface Message {
  conversation: Id;
  seq: Id;
  author: Id;
  body: string;
  client_id: string;
  created_at: string;
  edited_at?: string;
  deleted?: boolean;
  /** The message that it quotes. */
  reply_to?: Id;
  /** The message in whose own list of replies it stands. */
  thread?: Id;
  replies?: number;
  last_reply?: Id;
  last_reply_at?: string;
  reactions?: Reaction[];
  pinned?: boolean;
  /** Whom it reaches by name. */
  mentions?: Id[];
  /** How it reaches everybody. */
  mentions_all?: 'channel' | 'here';
  files?: File[];
}

export type Mode = 'online' | 'away' | 'dnd' | 'invisible';

/** What an authenticator app is set up with. */
export interface NewAuthenticator {
  secret: string;
  uri: string;
  /** The `uri` as a QR code: an SVG in a data URL. */
  qr: string;
}

/** A conversation that has just been created, or the direct one that the pair had. */
export interface NewConversation {
  id: Id;
  kind: Kind;
  name: string;
  topic: string;
  private: boolean;
  /** It can be read, and nothing else. */
  archived?: boolean;
  /** Seconds between two messages of one member. */
  slow?: number;
  /** Only those who run it write. */
  read_only?: boolean;
  role: Role | null;
  last_seq: number;
  read_seq: number;
  unread: number;
  mentions: number;
  level: Level;
  muted_until: string | null;
  last_message: Message | null;
  members?: Id[];
  /** Who was asked to join instead of added: they share no conversation with the caller. */
  invited?: Id[];
}

/** A new passkey, as the browser created it, and its name. */
export interface NewPasskey {
  challenge: string;
  passkey: Record<string, unknown>;
  name: string;
}

/** A passkey that was added, and recovery codes if it is the first second factor. */
export interface NewPasskeyMade {
  passkey: Passkey;
  recovery_codes: string[];
}

/** The token of a reset link, and the new password. */
export interface NewPassword {
  token: string;
  new: string;
}

/** A node's lease, and what it says of itself. Moments are milliseconds of the registry's clock. */
export interface NodeRecord {
  name: string;
  holder: string;
  state: 'up' | 'silent' | 'draining' | 'drained' | 'leaving' | 'lost' | 'reaped';
  role: 'all' | 'messages' | 'presence';
  heard: number;
  until: number;
  people: number;
  online: number;
  away: number;
  dnd: number;
  streams: number;
  sockets: number;
  url?: string;
  version?: string;
  /** Seconds. */
  uptime?: number;
  /** Bytes. */
  memory?: number;
  /** Of its loop, in milliseconds. */
  lag?: number;
  delivery?: Quantiles | null;
  /** How long its last announcement took to come back from Redis, in milliseconds. */
  announce?: number | null;
  listening?: boolean;
  /** It reaches PostgreSQL. */
  postgres?: boolean;
  position?: number;
  polls?: number;
  replays?: number;
  /** How many requests wait in its queues. */
  waiting?: number;
  /** Why streams have ended, and how many. */
  ends?: Record<string, number>;
  reaped?: number;
  ghosts?: number;
  canary?: Canary;
  draining?: boolean;
  /** It has been told to. */
  drain?: boolean;
  leaving?: boolean;
  reaper?: string;
}

/** Every node. */
export interface Nodes {
  nodes: NodeRecord[];
}

/** What was changed in a conversation by those who run it. */
export interface Note {
  id: Id;
  at: string;
  actor: Id | null;
  action: string;
  subject: Id | null;
  detail: Record<string, unknown>;
}

/** The latest first; after `next` it goes on. */
export interface Notes {
  rows: Note[];
  next: Id | null;
}

/** The fields to change; the others stay. A `muted_until` of null ends the mute. */
export interface NoticePatch {
  level?: 'all' | 'mentions' | 'nothing' | null;
  muted_until?: string | null;
}

/** What a person wants to be told of in a conversation. */
export interface Notifications {
  conversation: Id;
  level: Level;
  muted_until: string | null;
}

/** Subscribe to the dashboard's figures. */
export interface Observe {
  type: 'observe';
}

/** One's own presence: what one is, and what one has chosen, until then or until the next choice. */
export interface Own {
  id: Id;
  status: Status | 'invisible';
  mode: Mode;
  text: string;
  emoji: string;
  until: string | null;
  devices: number;
  version: number;
}

/** A run of messages, ascending. */
export interface Page {
  messages: Message[];
  has_before: boolean;
  has_after: boolean;
}

/** A passkey of the caller. */
export interface Passkey {
  id: Id;
  name: string;
  created_at: string;
  last_used_at: string | null;
}

/** A new name for a passkey. */
export interface PasskeyChange {
  name: string;
}

/** A log-in with a passkey alone. */
export interface PasskeyLogIn {
  challenge: string;
  passkey: Record<string, unknown>;
  device?: string;
}

/** Options for `navigator.credentials`, in JSON as WebAuthn describes it, and the challenge to answer with. */
export interface PasskeyOptions {
  challenge: string;
  options: Record<string, unknown>;
}

/** A password change. The current password proves that the user, and not someone at an unlocked screen, asks. */
export interface PasswordChange {
  old: string;
  new: string;
}

/** Who is here, by name; after `next` it goes on, and so many accounts were looked through. */
export interface PeoplePage {
  people: Present[];
  next: string | null;
  looked: number;
}

/** A pinned message, and who pinned it. */
export interface Pin {
  user: Id;
  message: Message;
}

/** A message is pinned, or no longer, by this person. */
export interface PinChange {
  conversation: Id;
  seq: Id;
  user: Id;
  on: boolean;
}

/** What is pinned, the latest first. */
export interface Pins {
  pins: Pin[];
}

/** The message as it is stored. */
export interface Posted {
  message: Message;
}

/** The people asked for who may be seen. */
export interface Presence {
  users: PresenceRecord[];
}

/** What others see of one person; of two records the one with the higher version holds. */
export interface PresenceRecord {
  id: Id;
  status: Status;
  text: string;
  emoji: string;
  until: string | null;
  last_active_at: string | null;
  devices: number;
  version: number;
}

/** Somebody, as others see them, and on which nodes. */
export interface Present {
  id: Id;
  name: string;
  display_name: string;
  role: string;
  disabled: boolean;
  status: Status;
  text: string;
  emoji: string;
  devices: number;
  nodes: string[];
  last_active_at: string | null;
}

/** A refusal (RFC 9457); `code` is a stable word, `errors` names each wrong field. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  errors?: Wrong[];
  /** Of `second_factor_required`: for the second step of the log-in. */
  challenge?: string;
  methods?: ('totp' | 'passkey' | 'recovery_code')[];
  /** Options for `navigator.credentials.get`. */
  passkey?: Record<string, unknown>;
}

/** The profile fields to change; the others stay. `receipts`: share how far one has read. */
export interface Profile {
  display_name?: string | null;
  about?: string | null;
  time_zone?: string | null;
  receipts?: 'on' | 'off' | null;
}

/** Proof of who you are: exactly one of `password`, `totp` and `passkey`, the last with its `challenge`. */
export interface Proof {
  password?: string | null;
  totp?: string | null;
  passkey?: Record<string, unknown> | null;
  challenge?: string | null;
}

/** How recently the user of this session proved who they are. */
export interface ProofState {
  /** Until sensitive changes need a new proof; 0: now. */
  seconds_left: number;
  methods: ('password' | 'totp' | 'passkey')[];
}

/** How long something takes, in milliseconds. */
export interface Quantiles {
  p50: number;
  p99: number;
}

/** Who reacts with an emoji; of more than a hundred people `count` tells how many they are. */
export interface Reaction {
  emoji: string;
  users: Id[];
  count?: number;
}

/** Somebody reacts, or does so no longer. */
export interface ReactionChange {
  conversation: Id;
  seq: Id;
  emoji: string;
  user: Id;
  on: boolean;
  /** How many they are now, where not all are told. */
  count?: number;
  /** Who is told of in place of one who left. */
  shown?: Id;
}

/** One's own read mark, with what is left beyond it: not every device holds the messages. On one's own devices. */
export interface ReadChange {
  conversation: Id;
  seq: number;
  unread: number;
  mentions: number;
}

/** Mark everything up to message `seq` as read. */
export interface ReadMark {
  seq: number;
}

/** The first frame of a stream: where it starts, where the log ended then, on which node, and for whom. */
export interface Ready {
  cursor: string;
  head: string;
  node: string;
  resumed: boolean;
  user: Id;
}

/** How many ghosts were found. */
export interface Reaped {
  reaped: number;
}

/** How far somebody has read. */
export interface Receipt {
  user: Id;
  seq: number;
}

/** How far somebody has read. */
export interface ReceiptChange {
  conversation: Id;
  user: Id;
  seq: number;
}

/** How far the others have read. */
export interface Receipts {
  receipts: Receipt[];
}

/** New recovery codes, shown only now; empty when the user keeps the old ones. */
export interface RecoveryCodes {
  recovery_codes: string[];
}

/** A signal was refused; the socket stays open. */
export interface Refused {
  type: 'problem';
  code: string;
  detail: string;
}

/** The session's new token; a browser gets it as a cookie only. */
export interface Renewed {
  token?: string;
}

/** What somebody finds wrong with a message; what came of it stands when something did. */
export interface Report {
  id: Id;
  conversation: Id;
  seq: Id;
  author: Id;
  /** As it was when it was reported. */
  body: string;
  reporter: Id;
  reason: string;
  at: string;
  outcome?: 'dismissed' | 'acted';
  note?: string;
  resolved_by?: Id;
  resolved_at?: string;
}

/** To those who look after a conversation: the report `id` is there, or closed. */
export interface ReportChange {
  id: Id;
  conversation: Id;
  seq: Id;
  state: 'open' | 'dismissed' | 'acted';
}

/** The reason for reporting a message. */
export interface ReportForm {
  reason: string;
}

/** The report's id. */
export interface Reported {
  id: Id;
}

/** What I may judge, the latest first; `next` stands when there are more. */
export interface Reports {
  reports: Report[];
  next?: Id;
}

/** Read the snapshot again, then go on from this cursor. */
export interface Reset {
  cursor: string;
  reason: 'too_old' | 'other_epoch' | 'bad_cursor';
}

/** A reset link to create. `also_second_factors`: using it removes the account's second factors too. */
export interface ResetForm {
  also_second_factors?: boolean;
}

/** A link to set a new password: `path` at this server's address, shown once. */
export interface ResetLink {
  path: string;
  expires_at: string;
}

/** The outcome of a report. */
export interface Resolution {
  outcome: 'dismissed' | 'acted';
  note?: string;
}

export type Role = 'owner' | 'admin' | 'member';

/** The new role of an account. */
export interface RoleForm {
  role: 'admin' | 'member';
}

/** How many are here of a conversation; one that is not public has no name. */
export interface Room {
  id: Id;
  kind: 'channel' | 'group';
  name: string | null;
  here: number;
}

/** The busiest first; `counted`: how many nodes have told of theirs. */
export interface Rooms {
  rooms: Room[];
  counted: number;
}

/** An announcement to make. */
export interface Said {
  body: string;
}

/** A point of the history. */
export interface Sample {
  minute: string;
  people: number;
  peak: number;
  online: number;
  away: number;
  dnd: number;
  streams: number;
  sockets: number;
  nodes: number;
  reaped: number;
  ghosts: number;
  joins: number;
  leaves: number;
  position: number;
}

/** The role to give. Without one, a new member gets the role `member` and an existing member keeps theirs. */
export interface Seat {
  role?: 'owner' | 'admin' | 'member' | null;
}

/** What somebody is in a conversation now. */
export interface Seated {
  conversation: Id;
  user: Id;
  /** null: the user was invited, and is no member before they accept. */
  role: Role | null;
}

/** The second step of a log-in: exactly one of `totp`, `passkey` and `recovery_code`. */
export interface SecondStep {
  challenge: string;
  totp?: string | null;
  passkey?: Record<string, unknown> | null;
  recovery_code?: string | null;
  device?: string;
}

/** `snapshot` answers a watch; `presence`: only those that have changed, at most every 100 ms. */
export interface Seen {
  type: 'snapshot' | 'presence';
  users: PresenceRecord[];
}

/** Set the status of the user on all devices, until `until` or the next `status`. */
export interface SetStatus {
  type: 'status';
  status: 'online' | 'away' | 'dnd' | 'invisible';
  text?: string | null;
  emoji?: string | null;
  until?: string | null;
}

/** What one has chosen. On one's own devices. */
export interface SettingsChange {
  receipts: 'on' | 'off';
}

/** A new account. `invite` is the code of an invitation, where SIGNUP needs one. */
export interface SignUp {
  name: string;
  display_name?: string | null;
  password: string;
  device?: string;
  invite?: string;
}

/** A new session. The token also comes as a cookie, and for browsers only so. */
export interface SignedIn {
  user: User;
  session: Login;
  token?: string;
}

/** Everything a person is in; a stream that starts at the cursor continues it without a gap or a repeat. */
export interface Snapshot {
  conversations: Conversation[];
  blocked: Id[];
  invitations: Invitation[];
  cursor: string;
}

/** The figures now, and those of before, the oldest first. */
export interface Stats {
  at: number;
  people: number;
  online: number;
  away: number;
  dnd: number;
  streams: number;
  sockets: number;
  nodes: number;
  /** This and the next three only grow, until the registry is lost. */
  joins: number;
  leaves: number;
  reaped: number;
  ghosts: number;
  node_list: NodeRecord[];
  history: Sample[];
}

export type Status = 'online' | 'away' | 'dnd' | 'offline';

/** A file as it is; `ready`: a message may carry it. */
export interface Stored {
  file: File;
  ready: boolean;
}

/** The client sent something. The socket stays open, but the tenth problem within a minute closes it (1008). */
export interface StreamProblem {
  code: string;
  detail: string;
}

/** A stream that was open when the message was committed, or later. */
export interface StreamRecord {
  session: Id;
  node: string;
  opened_at: string;
  closed_at: string | null;
  reason: string | null;
  /** It had been missed, and came when the stream opened. */
  replayed: boolean;
  /** Null where it did not come. */
  handed_at: string | null;
}

/** How one stands to a thread: what is counted up to `last_seq`, how much of it is unread. On one's own devices. */
export interface ThreadChange {
  conversation: Id;
  seq: Id;
  following: boolean;
  read_seq?: number;
  last_seq?: number;
  unread?: number;
}

/** What a person follows, and the cursor at which a stream continues it. */
export interface Threads {
  threads: FollowedThread[];
  cursor: string;
}

/** Opens one presence socket where no cookie travels. */
export interface Ticket {
  ticket: string;
  expires_in: number;
}

/** A message is gone; a tombstone is left of it. Where it had reached somebody: whose it was, and whom. */
export interface Tombstone {
  conversation: Id;
  seq: Id;
  author?: Id;
  mentions?: Id[];
  mentions_all?: 'channel' | 'here';
}

/** Report typing; repeat it every three seconds while it lasts. */
export interface Typing {
  type: 'typing';
  conversation: number;
  on: boolean;
}

/** The whole list, in place of the one before. */
export interface TypingNow {
  type: 'typing';
  conversation: Id;
  users: Id[];
}

/** Somebody, as everybody sees them. */
export interface User {
  id: Id;
  name: string;
  display_name: string;
  role: string;
  about: string;
  /** Of the tz database: `Europe/Berlin`; empty for none. */
  time_zone: string;
  avatar: string;
  /** The account has been disabled by an admin. */
  disabled?: boolean;
}

/** Some people. */
export interface Users {
  users: User[];
}

/** Start or stop watching the users and conversations on the screen. */
export interface Watch {
  type: 'watch' | 'unwatch';
  users?: number[];
  conversations?: number[];
}

/** How far the stream should have come. */
export interface Witness {
  type: 'beat';
  witness: string;
}

/** A field that cannot be taken. */
export interface Wrong {
  field: string;
  detail: string;
}

/** What one is oneself, now. */
export interface You {
  type: 'you';
  you: Own;
}

/** What a stream brings, by the name of the event. */
export interface StreamEvents {
  message: Message;
  edit: Message;
  delete: Tombstone;
  reaction: ReactionChange;
  pin: PinChange;
  read: ReadChange;
  receipt: ReceiptChange;
  thread: ThreadChange;
  notifications: Notifications;
  block: BlockChange;
  settings: SettingsChange;
  report: ReportChange;
  announcement: Announced;
  conversation: ConversationState;
  member: MemberChange;
  invitation: InvitationChange;
  user: User;
  ready: Ready;
  reset: Reset;
  bye: Bye;
  beat: Record<string, unknown>;
}

/** What the presence socket tells, by its type. */
export interface SocketFrames {
  hello: Hello;
  you: You;
  snapshot: Seen;
  presence: Seen;
  hidden: Hidden;
  typing: TypingNow;
  beat: Witness;
  degraded: Degraded;
  problem: Refused;
  stats: Record<string, unknown>;
}

/** What a client says on it. */
export interface Signals {
  Beat: Beat;
  Observe: Observe;
  SetStatus: SetStatus;
  Typing: Typing;
  Watch: Watch;
}
