-- Web Push: the key with which this server signs, the browsers and apps to notify, and the notifications to send.

create table push_keys (
    only_one    boolean primary key default true check (only_one),
    private_key bytea not null                  -- the number of a P-256 key, 32 bytes
);

-- One for each session, and removed when the session ends.
create table push_subscriptions (
    id         bigint generated always as identity primary key,
    session_id bigint not null unique references sessions on delete cascade,
    user_id    bigint not null references users on delete cascade,
    endpoint   text not null unique,
    public_key bytea not null,                  -- of the browser, a point of P-256
    secret     bytea not null,                  -- that the browser shares with this server, 16 bytes
    quiet_from smallint,                        -- no notifications from this minute of the day, in UTC,
    quiet_to   smallint,                        -- until this one
    failures   integer not null default 0       -- deliveries that failed since the last one that arrived
);
create index push_subscriptions_user on push_subscriptions (user_id);

create table push_queue (
    subscription_id bigint not null,               -- without a reference, whose locks could meet those of ending sessions
    conversation_id bigint not null,
    seq             bigint not null,
    user_id         bigint not null,
    due_at          timestamptz not null default now(),
    attempts        integer not null default 0,
    waited          boolean not null default false,  -- the user was active when it was due first
    primary key (subscription_id, conversation_id, seq)
);
create index push_queue_due on push_queue (due_at);

create function drop_push_subscription() returns trigger language plpgsql as $$
begin
    delete from push_subscriptions where session_id = new.id;
    return null;
end $$;
create trigger sessions_push after update of ended_at on sessions
    for each row when (new.ended_at is not null) execute function drop_push_subscription();
