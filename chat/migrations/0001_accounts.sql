-- People and their logins. Logins are durable here; Redis only knows who is connected where.

create table users (
    id            bigint generated always as identity primary key,
    name          text not null,
    display_name  text not null,
    password_hash text not null,
    role          text not null default 'member' check (role in ('member', 'admin')),
    created_at    timestamptz not null default now(),
    disabled_at   timestamptz
);
create unique index users_name on users (lower(name));

create table sessions (
    id           bigint generated always as identity primary key,
    user_id      bigint not null references users on delete cascade,
    token_hash   bytea not null unique,
    device       text not null default '',
    address      inet,
    created_at   timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    expires_at   timestamptz not null,
    ended_at     timestamptz
);
create index sessions_user on sessions (user_id) where ended_at is null;
