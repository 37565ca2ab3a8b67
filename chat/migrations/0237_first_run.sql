-- The team on this server: its name, who may join, and the channel of everyone who joins (deploy/decisions/0145-first-run.md).

create table team (
    single     boolean primary key default true check (single),
    name       text not null default '',
    signup     text check (signup in ('open', 'invite', 'closed')),   -- null: as the setting SIGNUP
    general_id bigint references conversations on delete set null     -- null: before the set-up
);

-- One-time links with which the first admin sets up the server. Like tokens, they are stored hashed.
create table setup_links (
    token_hash bytea primary key,
    made_at    timestamptz not null default now(),
    expires_at timestamptz not null
);

-- Invites are listed and revoked. `uses`: accounts that the code allows in all; null in rows of an older version.
alter table invites
    add column id    bigint generated always as identity,
    add column uses  integer,
    add column email text not null default '';
create unique index invites_id on invites (id);

-- The users who came with an invite.
create table invite_uses (
    user_id   bigint primary key references users on delete cascade,
    invite_id bigint not null,
    inviter   bigint references users on delete set null,
    used_at   timestamptz not null default now()
);
create index invite_uses_invite on invite_uses (invite_id, used_at);
create index invite_uses_inviter on invite_uses (inviter);

-- Whether a user has been added to the channel of everyone who joins. Users from before are left alone.
alter table users add column greeted boolean not null default true;
alter table users alter column greeted set default false;
create index users_not_greeted on users (id) where not greeted;
