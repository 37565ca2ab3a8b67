-- What can happen to a message after it was posted: edits, reactions, pins, replies.

-- What stood in a message until it was replaced or deleted.
create table message_edits (
    conversation_id bigint not null,
    seq             bigint not null,
    number          integer not null,            -- from 1, the oldest
    body            text not null,
    user_id         bigint not null,             -- who replaced or deleted it
    at              timestamptz not null,
    primary key (conversation_id, seq, number)
);

-- One row an emoji of a message. What the message shows of them is kept with it (`messages.reactions`), so that
-- a page of history costs the same however many people react.
create table reactions (
    conversation_id bigint not null,
    seq             bigint not null,
    emoji           text not null collate "C",
    since           bigint not null,             -- the position of the first one: their order in the message
    users           bigint[] not null,           -- in the order they came
    primary key (conversation_id, seq, emoji)
) with (fillfactor = 70);

alter table messages
    add column pinned        bigint,             -- the position of the pin
    add column pinned_by     bigint,
    add column replies       integer not null default 0,
    add column last_reply    bigint,             -- its seq
    add column last_reply_at timestamptz,
    add column reactions     jsonb;              -- [{emoji, users, count?}], as everybody sees them

-- Posts wait while these two are built: every row is read, and none is in them yet.
create index messages_thread on messages (conversation_id, thread, seq) where thread is not null;
create index messages_pinned on messages (conversation_id, pinned) where pinned is not null;

-- Who follows which thread, and how far each has read it.
create table thread_follows (
    conversation_id bigint not null,
    root_seq        bigint not null,
    user_id         bigint not null,
    read_seq        bigint not null,
    primary key (conversation_id, root_seq, user_id)
) with (fillfactor = 70);
create index thread_follows_user on thread_follows (user_id, conversation_id);

-- A message as everybody sees it. Nodes read these columns by their place: a version that shows other ones makes
-- another view, and leaves this one to the nodes before it.
create view message_rows as
select m.conversation_id, m.seq, m.author_id, m.body, m.client_id, m.created_at, m.edited_at,
       m.deleted_at is not null as deleted, m.reply_to, m.thread, m.replies, m.last_reply, m.last_reply_at,
       m.pinned is not null as pinned, m.reactions
  from messages m;
