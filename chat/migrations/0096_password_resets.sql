-- One-time links to set a new password. Like session tokens, they are stored hashed.

create table password_resets (
    token_hash     bytea primary key,
    user_id        bigint not null references users on delete cascade,
    made_by        bigint references users on delete set null,   -- null: the command line
    second_factors boolean not null default false,               -- using it removes the second factors as well
    made_at        timestamptz not null default now(),
    expires_at     timestamptz not null
);
create index password_resets_user on password_resets (user_id);

-- Sessions that are over are found by the moment they ended or expired, and deleted after a while.
create index sessions_over on sessions (least(expires_at, ended_at));
