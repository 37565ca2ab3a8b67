-- outside a transaction
-- Rows without a key, which the migration fills in afterward, do not collide.
drop index concurrently if exists conversations_look_key;
create unique index concurrently conversations_look_key on conversations (look_key)
    where kind = 'channel' and archived_at is null;
drop index concurrently if exists conversations_skeleton;
create index concurrently conversations_skeleton on conversations (skeleton, id)
    where kind = 'channel' and not private and archived_at is null;
drop index concurrently if exists conversations_channels;
create index concurrently conversations_channels on conversations (id) where kind = 'channel';
-- Their rules are replaced. The function `look_of` stays for nodes of the version before, and is not used by this one.
drop index concurrently if exists conversations_channel_name;
drop index concurrently if exists conversations_look;
drop index concurrently if exists users_admin_look;
