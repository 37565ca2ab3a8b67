-- Moderation: who may write how often, who may not return, who is let in by a link, what was reported, who did what.

alter table conversations
    add column slow_seconds integer not null default 0,       -- between two messages of one person
    add column read_only    boolean not null default false;   -- only those who run it write

-- When the person last wrote here: a post in slow mode is judged by it, and sets it where it moves the read mark anyway.
alter table memberships add column posted_at timestamptz;

create table bans (
    conversation_id bigint not null references conversations,
    user_id         bigint not null references users,
    banned_by       bigint not null,
    reason          text not null,
    at              timestamptz not null default now(),
    primary key (conversation_id, user_id)
);

-- Links into a conversation. Like tokens, their codes are stored hashed.
create table links (
    id              bigint generated always as identity primary key,
    conversation_id bigint not null references conversations,
    code_hash       bytea not null unique,
    uses_left       integer not null check (uses_left >= 0),
    made_by         bigint not null,
    made_at         timestamptz not null default now(),
    expires_at      timestamptz not null
);
create index links_conversation on links (conversation_id, id);

-- The text stands as it was when it was reported, whatever becomes of the message.
create table reports (
    id              bigint generated always as identity primary key,
    conversation_id bigint not null references conversations,
    seq             bigint not null,
    author_id       bigint not null,
    body            text not null,
    reporter_id     bigint not null,
    reason          text not null,
    at              timestamptz not null default now(),
    outcome         text check (outcome in ('dismissed', 'acted')),
    note            text not null default '',
    resolved_by     bigint,
    resolved_at     timestamptz,
    unique (conversation_id, seq, reporter_id)
);
create index reports_open on reports (id) where resolved_at is null;
create index reports_conversation on reports (conversation_id, id);

-- Those who run a conversation see what was done in it.
create index audit_conversation on audit (((detail ->> 'conversation')::bigint), id) where detail ? 'conversation';
