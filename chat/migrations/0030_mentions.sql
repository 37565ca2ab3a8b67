-- Whom a message reaches by name. Counting those that a user has not read yet is one index range.

alter table messages
    add column mentions     bigint[],
    add column mentions_all text check (mentions_all in ('channel', 'here'));

-- One row a person mentioned, or one for user 0, who stands for everybody.
create table mentions (
    conversation_id bigint not null,
    user_id         bigint not null,
    seq             bigint not null,
    author_id       bigint not null,
    primary key (conversation_id, seq, user_id)
);
create index mentions_unread on mentions (conversation_id, user_id, seq) include (author_id);

-- What is deleted counts as read: few rows, so that a count of them costs as good as nothing.
create index messages_deleted on messages (conversation_id, seq) where deleted_at is not null;

-- A message as everybody sees it, by this version; `message_rows` is for the nodes before it.
create view shown_messages as
select m.conversation_id, m.seq, m.author_id, m.body, m.client_id, m.created_at, m.edited_at,
       m.deleted_at is not null as deleted, m.reply_to, m.thread, m.replies, m.last_reply, m.last_reply_at,
       m.pinned is not null as pinned, m.reactions, m.mentions, m.mentions_all
  from messages m;
