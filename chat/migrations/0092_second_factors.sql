-- Second factors: authenticator apps, passkeys, recovery codes, and the challenges that a log-in is answered with.

create table authenticators (                     -- one a user
    user_id      bigint primary key references users on delete cascade,
    secret       text not null,                   -- base32, as the app knows it
    last_step    bigint not null default 0,       -- 30 s each; a code is good once, so only for a later step than this
    confirmed_at timestamptz,                     -- null until the first right code: it asks for nothing before
    created_at   timestamptz not null default now()
);
create table passkeys (
    id            bigint generated always as identity primary key,
    user_id       bigint not null references users on delete cascade,
    credential_id bytea not null unique,
    public_key    bytea not null,
    sign_count    bigint not null,
    transports    text[] not null,
    name          text not null,
    created_at    timestamptz not null default now(),
    last_used_at  timestamptz
);
create index passkeys_user on passkeys (user_id);
create table recovery_codes (
    user_id   bigint not null references users on delete cascade,
    code_hash bytea not null,
    used_at   timestamptz,
    primary key (user_id, code_hash)
);
create table challenges (
    token_hash       bytea primary key,
    purpose          text not null check (purpose in ('second', 'login', 'proof', 'passkey')),
    user_id          bigint references users on delete cascade,  -- null: a passkey will say who it is
    session_id       bigint references sessions on delete cascade,
    password_digests bytea[],                     -- of the password hashes that were right at the first step
    attempts_left    int not null default 5,
    expires_at       timestamptz not null
);
create index challenges_expiry on challenges (expires_at);
create index challenges_user on challenges (user_id);
create index challenges_session on challenges (session_id);
