-- name: name_rooms
-- Those of these conversations that an admin may hear of: not the directs, whose two people would be named by it; and of
-- the private ones that they are, not how they are called.
with known as (
    select id, kind, case when kind = 'channel' and not private then name end as name
      from conversations
     where id = any(%(ids)s::bigint[]) and not is_probe(id) and kind <> 'direct' and archived_at is null)
select id, kind, name from known where %(like)s = '' or lower(name) like %(like)s

-- name: find_people
-- By name, from after one: all, or those of `ids`, whose name or display name holds `like`.
select id, name, display_name, role, disabled_at is not null
  from users
 where lower(name) > %(after)s and deleted_at is null and not is_probe(id) and (%(ids)s::bigint[] is null or id = any(%(ids)s::bigint[]))
   and (%(like)s = '' or lower(name) like %(like)s or lower(display_name) like %(like)s)
 order by lower(name) limit %(most)s
