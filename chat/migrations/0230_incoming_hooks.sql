-- Incoming hooks: addresses at which other programs post into one conversation. Each posts as a user of its own, its bot.

create table incoming_hooks (
    id              bigint generated always as identity primary key,
    conversation_id bigint not null references conversations on delete cascade,
    user_id         bigint not null references users on delete cascade,
    name            text not null,
    secret_hash     bytea not null unique,
    created_by      bigint references users on delete set null,
    created_at      timestamptz not null default now(),
    used_at         timestamptz,
    problem         text not null default ''   -- why the last delivery was refused; empty if it was posted
);
create index incoming_hooks_conversation on incoming_hooks (conversation_id);
create index incoming_hooks_user on incoming_hooks (user_id);
create index incoming_hooks_created_by on incoming_hooks (created_by);
