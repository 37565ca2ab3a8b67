-- name: add_talkers
insert into users (name, display_name, password_hash) select name, name, '' from unnest(%s::text[]) as name

-- name: add_rooms
insert into conversations (kind, name, private, look_key) select 'channel', name, true, name from unnest(%s::text[]) as name

-- name: add_members
insert into memberships (conversation_id, user_id, since) select c.id, u.id, 0 from conversations c, users u

-- name: read_scans
-- How often this session has read tables from end to end, and indexes (true), as far as it has not told of it yet.
select relname, relkind = 'i', pg_stat_get_xact_numscans(oid) from pg_class
 where relnamespace = 'public'::regnamespace and relkind in ('r', 'i') and pg_stat_get_xact_numscans(oid) > 0
