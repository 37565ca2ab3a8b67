-- name: add_people
-- One user for each token, with a session for a day.
with asked as (select * from unnest(%s::text[], %s::bytea[]) as t (token, digest)),
people as (
    insert into users (name, display_name, password_hash) select token, token, '' from asked returning id, name),
logins as (
    insert into sessions (user_id, token_hash, device, expires_at)
    select people.id, asked.digest, 'bench', now() + interval '1 day' from people join asked on asked.token = people.name)
select id, name from people order by id

-- name: add_channel
with channel as (insert into conversations (kind, name) values ('channel', %s) returning id),
seats as (
    insert into memberships (conversation_id, user_id, since)
    select channel.id, member, 0 from channel, unnest(%s::bigint[]) as member)
select id from channel

-- name: add_channels
with channels as (
    insert into conversations (kind, name) select 'channel', %s || n from generate_series(1, %s) as n returning id),
seats as (
    insert into memberships (conversation_id, user_id, since)
    select channels.id, member, 0 from channels, unnest(%s::bigint[]) as member)
select id from channels

-- name: mark_as_indexed
update search_state set followed = (select position from log_head)
