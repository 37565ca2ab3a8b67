-- name: name_rooms
-- Those of these conversations that an admin may hear of: not the directs, whose two people would be named by it; and of
-- the private ones that they are, not how they are called.
with known as (
    select id, kind, case when kind = 'channel' and not private then name end as name
      from conversations
     where id = any(%(ids)s::bigint[]) and not is_probe(id) and kind <> 'direct' and archived_at is null)
select id, kind, name from known where %(like)s = '' or lower(name) like %(like)s
