-- Files: what people upload, where its bytes lie, and which message carries it; and the pictures of people.

create table files (
    id              bigint generated always as identity primary key,
    owner_id        bigint not null references users,
    name            text not null,
    size            bigint not null,             -- what it has, or is going to have
    received        bigint not null default 0,   -- so much of it is stored
    type            text not null default '',    -- by its content
    width           integer,                     -- of a picture, as it is to be seen
    height          integer,
    previewed       boolean not null default false,
    conversation_id bigint,                      -- the message that carries it, once it has been posted
    seq             bigint,
    touched_at      timestamptz not null default now(),
    ready_at        timestamptz,                 -- all of it is there and has been looked at
    removed_at      timestamptz                  -- nobody reads it any more; its bytes go in the background
);
create index files_owner on files (owner_id) where removed_at is null;
create index files_message on files (conversation_id, seq) where conversation_id is not null;
create index files_removed on files (id) where removed_at is not null;
create index files_waiting on files (touched_at) where conversation_id is null and removed_at is null;

-- The pieces that a file came in, each an object of the storage: what is stored is never copied together.
create table file_pieces (
    file_id bigint not null references files on delete cascade,
    start   bigint not null,
    size    bigint not null,
    key     text not null,
    primary key (file_id, start)
);

-- What a message shows of its files is kept with it, as everybody sees it: [{id, name, size, type, …}].
alter table messages add column files jsonb;

-- A message as everybody sees it, by this version; `shown_messages` is for the nodes before it.
create view told_messages as
select m.conversation_id, m.seq, m.author_id, m.body, m.client_id, m.created_at, m.edited_at,
       m.deleted_at is not null as deleted, m.reply_to, m.thread, m.replies, m.last_reply, m.last_reply_at,
       m.pinned is not null as pinned, m.reactions, m.mentions, m.mentions_all, m.files
  from messages m;

-- Small squares, so they lie here and not in the storage; the one that is shown is the user's.
create table avatars (
    id      bigint generated always as identity primary key,
    user_id bigint not null references users on delete cascade,
    picture bytea not null
);
alter table users add column avatar bigint;      -- null: initials are shown
