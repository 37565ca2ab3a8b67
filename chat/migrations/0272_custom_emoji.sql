-- Custom emoji: pictures that messages and reactions show for `:name:` (deploy/decisions/0171-custom-emoji.md).
create table custom_emoji (
    id         bigint generated always as identity primary key,
    name       text not null collate "C" unique,
    user_id    bigint references users on delete set null,   -- who added it; null: a deleted account
    picture    bytea not null,   -- WebP, which may move
    still      bytea,            -- the first frame of one that moves
    created_at timestamptz not null default now()
);
create index custom_emoji_user on custom_emoji (user_id);

-- Who can add custom emoji. null: everyone.
alter table team add column emoji text check (emoji in ('everyone', 'admins'));
