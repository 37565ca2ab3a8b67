-- Messages that users have written and that are posted at a later time. A message stays until it is posted or removed.
-- `files`: its files, which the clean-up of uploads spares. `attempted`: it may be posted already, so it does not change.
-- `problem`: why it could not be posted; it then waits for its author.
create table scheduled_messages (
    id              bigint generated always as identity primary key,
    user_id         bigint not null references users on delete cascade,
    conversation_id bigint not null references conversations on delete cascade,
    client_id       text not null collate "C",
    at              timestamptz not null,
    draft           text not null,
    files           bigint[] not null,
    created_at      timestamptz not null default now(),
    taken_until     timestamptz,   -- until then, only the node that took it posts it
    attempted       boolean not null default false,
    problem         text,
    unique (user_id, conversation_id, client_id)
);
create index scheduled_messages_at on scheduled_messages (at) where problem is null;
create index scheduled_messages_conversation on scheduled_messages (conversation_id);
