-- API keys. Each acts as a user of its own, its bot, through a session: the session's token is the key's secret, and the
-- key is revoked when the session ends.

alter table users add column bot boolean not null default false;

create table api_keys (
    id            bigint generated always as identity primary key,
    name          text not null,
    prefix        text not null,      -- the beginning of the secret, by which people recognize it
    scopes        text[] not null,
    conversations bigint[],           -- the bot can be a member of no others; null: of all
    user_id       bigint not null references users on delete cascade,
    session_id    bigint not null unique references sessions on delete cascade,
    created_by    bigint references users on delete set null,   -- null: the command line
    created_at    timestamptz not null default now(),
    expires_at    timestamptz
);
create index api_keys_user on api_keys (user_id);
