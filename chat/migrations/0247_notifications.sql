-- Default levels of notifications, keywords, and notifications by e-mail (deploy/decisions/0153-keywords.md and 0154).

-- The level of conversations without one of their own. null: as the team's, which is `all` if it is null too.
alter table users add column notify text check (notify in ('all', 'mentions', 'nothing'));
alter table team add column notify text check (notify in ('all', 'mentions', 'nothing'));

-- Whether the member has chosen the level. Nodes of earlier versions store `all` for the default.
alter table memberships add column own_level boolean not null default false;

-- The level that applies: the member's own, otherwise their default, otherwise the team's. Messages outside of channels are
-- for the member alone or for few, so the default `mentions` does not silence them.
create function level_of(level text, own boolean, kind text, mine text, team text) returns text
language sql immutable parallel safe
return case when own or level <> 'all' then level
            when kind <> 'channel' and coalesce(mine, team) = 'mentions' then 'all'
            else coalesce(mine, team, 'all') end;

-- Words that call a user. `folded`: as it is compared, its words separated by spaces; `first`: the first of these.
alter table users add column keywords text[] not null default '{}';
create table keywords (
    user_id bigint not null references users on delete cascade,
    folded  text not null,
    first   text not null,
    primary key (user_id, folded)
);
create index keywords_first on keywords (first);

-- Messages with a keyword count as mentions of its user, who alone knows of it.
alter table mentions add column keyword boolean not null default false;

-- Addresses that users have verified, and those to verify. The address that an application has set (`users.email`) comes
-- first.
create table email_addresses (
    user_id     bigint primary key references users on delete cascade,
    address     text not null default '',                -- verified; empty: none
    wanted      boolean not null default true,
    bounced     text not null default '',                -- the address that the mail server has refused for good
    token       text not null unique default replace(gen_random_uuid()::text, '-', ''),  -- of the link that ends the e-mails
    pending     text not null default '',                -- to be verified with the code
    code_hash   bytea,
    code_until  timestamptz not null default '-infinity',
    tries       integer not null default 0,              -- wrong codes
    codes       integer not null default 0,              -- sent since `codes_since`
    codes_since timestamptz not null default now()
);
create index users_email on users (id) where email <> '';
create index email_addresses_pending on email_addresses (lower(pending)) where pending <> '';

-- Messages that wait to be mailed, and when each user is due: one e-mail for all of a user's messages.
create table email_queue (
    user_id         bigint not null,                     -- without references, whose locks could meet those of deletions
    conversation_id bigint not null,
    seq             bigint not null,
    called_at       timestamptz not null default now(),
    primary key (user_id, conversation_id, seq)
);
create table email_due (
    user_id  bigint primary key,
    due_at   timestamptz not null,
    attempts integer not null default 0,
    batch    text not null default replace(gen_random_uuid()::text, '-', '')  -- of the e-mail's Message-ID
);
create index email_due_at on email_due (due_at);
