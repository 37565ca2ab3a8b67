-- Outgoing hooks: addresses at which other programs receive what happens in one conversation. Each replies as a user of
-- its own, its bot. Its cursor and its failures are in `subscriptions`, as `hook:ID`.

create table outgoing_hooks (
    id              bigint generated always as identity primary key,
    conversation_id bigint not null references conversations on delete cascade,
    user_id         bigint not null references users on delete cascade,
    name            text not null,
    url             text not null,
    secret          text not null,              -- signs deliveries, so it cannot be stored hashed
    events          text[] not null,
    created_by      bigint references users on delete set null,
    created_at      timestamptz not null default now()
);
create index outgoing_hooks_conversation on outgoing_hooks (conversation_id);
create index outgoing_hooks_user on outgoing_hooks (user_id);
create index outgoing_hooks_created_by on outgoing_hooks (created_by);

-- The last deliveries of each hook, one row for each attempt.
create table hook_deliveries (
    id         bigint generated always as identity primary key,
    hook_id    bigint not null references outgoing_hooks on delete cascade,
    message_id text not null,                   -- the header webhook-id
    event      text not null,
    position   bigint,                          -- of the entry in the log; null: a test
    status     integer,                         -- of the answer; null: there was none
    problem    text not null default '',        -- why it failed, or why its reply was not posted
    answer     text not null default '',        -- the beginning of the answer
    took_ms    integer not null,
    sent_at    timestamptz not null default now()
);
create index hook_deliveries_hook on hook_deliveries (hook_id, id);
