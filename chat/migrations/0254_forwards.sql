-- Messages that forward another one. The text that was forwarded is in their data; here is where it came from, which only
-- users who may read the original are told.
create table forwards (
    conversation_id      bigint not null references conversations on delete cascade,
    seq                  bigint not null,
    from_conversation_id bigint not null references conversations on delete cascade,
    from_seq             bigint not null,
    primary key (conversation_id, seq)
);
create index forwards_from on forwards (from_conversation_id);
