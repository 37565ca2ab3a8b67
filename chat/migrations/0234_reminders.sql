-- Reminders: texts that users receive again at a time they choose. A reminder stays until it is delivered or removed.

-- Bots of the server itself, by what they are for. Made when they are needed first.
create table service_bots (
    purpose text primary key,
    user_id bigint not null references users on delete cascade
);
create index service_bots_user on service_bots (user_id);

create table reminders (
    id              bigint generated always as identity primary key,
    user_id         bigint not null references users on delete cascade,
    client_id       text not null collate "C",
    text            text not null,
    at              timestamptz not null,
    conversation_id bigint references conversations on delete cascade,             -- what it is about
    seq             bigint,
    place_id        bigint not null references conversations on delete cascade,    -- where it is delivered
    created_at      timestamptz not null default now(),
    taken_until     timestamptz,   -- until then, only the node that took it delivers it
    unique (user_id, client_id)
);
create index reminders_at on reminders (at);
create index reminders_conversation on reminders (conversation_id);
create index reminders_place on reminders (place_id);
