-- Streamed messages: text that readers receive while it is written.

-- `streamed`: the message is still written, or the state in which it ended. `stream_end`: the position of its last append.
alter table messages
    add column streamed   text check (streamed in ('running', 'complete', 'cancelled', 'failed')),
    add column stream_end bigint;

-- One row for each message that is still written, and for those whose entries are not compacted yet.
create table streamed_messages (
    conversation_id bigint not null,
    seq             bigint not null,
    author_id       bigint not null,
    session_id      bigint,                      -- that wrote last; the message fails when it ends
    length          integer not null,            -- in code points
    appends         integer not null default 0,  -- entries of the log
    last_append     bigint not null,             -- the position of the last one; of the message if there is none
    stopped_by      bigint,                      -- the first user who asked the author to stop
    touched_at      timestamptz not null default clock_timestamp(),
    ended           boolean not null default false,
    compacted       bigint not null,             -- entries up to this position are done
    primary key (conversation_id, seq)
) with (fillfactor = 50);

-- The text so far, without what the message was posted with. At the end it moves to the message.
create table streamed_texts (
    conversation_id bigint not null,
    seq             bigint not null,
    at              integer not null,
    body            text not null,
    primary key (conversation_id, seq, at)
);

-- A message as all readers see it, in this version. `whole_messages` is for nodes of earlier versions.
create view current_messages as
select m.conversation_id, m.seq, m.author_id,
       case when m.streamed = 'running'
            then m.body || coalesce((select string_agg(t.body, '' order by t.at) from streamed_texts t
                                      where t.conversation_id = m.conversation_id and t.seq = m.seq), '')
            else m.body end as body,
       m.client_id, m.created_at, m.edited_at,
       m.deleted_at is not null as deleted, m.reply_to, m.thread, m.replies, m.last_reply, m.last_reply_at,
       m.pinned is not null as pinned, m.reactions, m.mentions, m.mentions_all, m.files, m.type,
       case when m.deleted_at is null then m.data end as data,
       m.streamed is not distinct from 'running' as streaming, nullif(m.streamed, 'running') as state
  from messages m;
