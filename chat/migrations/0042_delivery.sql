-- Which way a message went: who committed it, and which streams were open then.

alter table log add column node text;            -- which node committed the entry

-- One row a stream, from its opening to its end.
create table stream_records (
    id         bigint primary key,               -- drawn by the node
    user_id    bigint not null,
    session_id bigint not null,
    node       text not null,
    opened_at  timestamptz not null,
    opened     bigint not null,                  -- the position it started after
    closed_at  timestamptz,
    closed     bigint,                           -- the last position it was handed; null: it never caught up
    reason     text                              -- how it ended; null: the reader went
) with (fillfactor = 70);
create index stream_records_user on stream_records (user_id, opened_at);
create index stream_records_closed on stream_records using brin (closed_at);
