-- name: name_rooms
-- Conversations that an admin may see: no direct messages, which would name two users; private ones without their names.
with known as (
    select id, kind, case when kind = 'channel' and not private then name end as name
      from conversations
     where id = any(%(ids)s::bigint[]) and not is_probe(id) and kind <> 'direct' and archived_at is null)
select id, kind, name from known where %(like)s = '' or lower(name) like %(like)s

-- name: find_people
-- Users by name, after `after`: all or those of `ids`, whose name or display name matches `like`.
select id, name, display_name, role, disabled_at is not null
  from users
 where lower(name) > %(after)s and deleted_at is null and not is_probe(id) and (%(ids)s::bigint[] is null or id = any(%(ids)s::bigint[]))
   and (%(like)s = '' or lower(name) like %(like)s or lower(display_name) like %(like)s)
 order by lower(name) limit %(most)s
