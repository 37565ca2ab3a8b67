-- name: find_origins
select origin, id from conversations where origin = any(%s)

-- name: list_channels
select name, id from conversations where kind = 'channel' and archived_at is null order by id desc

-- name: find_ids
select id from conversations where id = any(%s::bigint[])

-- name: find_names
select id, name from conversations where id = any(%s::bigint[])

-- name: find_pair
select id from conversations where pair = %s

-- name: reserve_id
-- The sequence does not return this id any more.
select setval('conversations_id_seq', greatest(last_value, %s)) from conversations_id_seq

-- name: insert_conversation
-- Returns no row if the id, the pair or the channel name is taken. Without an id, the next one is used.
insert into conversations (id, kind, name, topic, private, pair, origin, created_by, created_at, archived_at,
                           slow_seconds, read_only, look_key, skeleton, blocked)
overriding system value
values (coalesce(%(id)s, nextval('conversations_id_seq')), %(kind)s, %(name)s, %(topic)s, %(private)s, %(pair)s,
        %(origin)s, %(creator)s, coalesce(%(created_at)s, now()), %(archived_at)s, %(slow)s, %(read_only)s,
        %(look_key)s, %(skeleton)s,
        exists (select from blocks b
                 where %(pair)s = least(b.user_id, b.blocked_id) || ':' || greatest(b.user_id, b.blocked_id)))
    on conflict do nothing
returning id

-- name: lock_origin
-- Two imports of one origin do not create the same user twice.
select pg_advisory_xact_lock(hashtextextended('import ' || %s, 0))

-- name: find_imported
select i.key, i.user_id, lower(u.name) from imported_users i join users u on u.id = i.user_id
 where i.origin = %s and i.key = any(%s)

-- name: insert_imported
insert into imported_users (origin, print, key, user_id, email)
select %s, %s, * from unnest(%s::text[], %s::bigint[], %s::text[]) on conflict do nothing

-- name: insert_users
-- The empty hash matches no password, so that the account cannot log in. Returns those whose name and id were free.
insert into users (id, name, display_name, password_hash, role, about, time_zone, receipts, language, notify, keywords,
                   created_at, disabled_at)
overriding system value
select coalesce(id, nextval(pg_get_serial_sequence('users', 'id'))), name, display_name, '', role, about, time_zone,
       receipts, language, notify, array(select jsonb_array_elements_text(keywords::jsonb)), coalesce(created_at, now()),
       disabled_at
  from unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::boolean[],
              %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])
       as new (id, name, display_name, role, about, time_zone, receipts, language, notify, keywords, created_at, disabled_at)
    on conflict do nothing
returning lower(name), id

-- name: reserve_user_id
-- The sequence does not return ids up to this one any more.
select setval('users_id_seq', greatest(last_value, %s)) from users_id_seq

-- name: find_users
select lower(name), id from users where lower(name) = any(%s)

-- name: insert_blocks
insert into blocks (user_id, blocked_id) select * from unnest(%s::bigint[], %s::bigint[]) on conflict do nothing

-- name: mark_blocked
update conversations c set blocked = true
 where c.pair = any(%s) and not c.blocked
   and exists (select from blocks b
                where c.pair = least(b.user_id, b.blocked_id) || ':' || greatest(b.user_id, b.blocked_id))
