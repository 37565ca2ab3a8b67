-- Conversations, who stays in them, and their messages.

create table conversations (
    id          bigint generated always as identity primary key,
    kind        text not null check (kind in ('channel', 'group', 'direct')),
    name        text not null default '',
    topic       text not null default '',
    private     boolean not null default false,
    pair        text unique,                     -- 'low:high' user ids: a direct pair has one conversation
    last_seq    bigint not null default 0,
    created_by  bigint references users,
    created_at  timestamptz not null default now(),
    archived_at timestamptz
) with (fillfactor = 50);                        -- last_seq moves with every batch: keep those updates in the page
create unique index conversations_channel_name on conversations (lower(name))
    where kind = 'channel' and archived_at is null;

-- One row a stay: `since` and `until` are log positions, both inclusive, so that a replay knows who was addressed when.
create table memberships (
    conversation_id bigint not null references conversations,
    user_id         bigint not null references users,
    role            text not null default 'member' check (role in ('owner', 'admin', 'member')),
    since           bigint not null,
    until           bigint,
    joined_at       timestamptz not null default now(),
    joined_seq      bigint not null default 0,
    read_seq        bigint not null default 0,
    primary key (conversation_id, user_id, since)
) with (fillfactor = 70);
create unique index memberships_current on memberships (conversation_id, user_id) where until is null;
create index memberships_user on memberships (user_id);

-- Partition key = distribution key: a conversation's page is one index range in one partition, on one machine.
create table messages (
    conversation_id bigint not null,
    seq             bigint not null,
    position        bigint not null,
    author_id       bigint not null,
    client_id       text not null collate "C",
    body            text not null,
    created_at      timestamptz not null,
    edited_at       timestamptz,
    deleted_at      timestamptz,
    reply_to        bigint,
    thread          bigint,
    primary key (conversation_id, seq)
) partition by hash (conversation_id);
create unique index messages_client_id on messages (conversation_id, author_id, client_id);
create index messages_created_at on messages (conversation_id, created_at);

do $$
begin
    for part in 0..15 loop
        execute format('create table messages_%s partition of messages for values with (modulus 16, remainder %s)',
                       part, part);
    end loop;
end $$;
