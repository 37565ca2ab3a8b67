-- name: find_people
-- By name, from after one: all, or those of `ids`, whose name or display name holds `like`.
select id, name, display_name, role, disabled_at is not null
  from users
 where lower(name) > %(after)s and deleted_at is null and not is_probe(id) and (%(ids)s::bigint[] is null or id = any(%(ids)s::bigint[]))
   and (%(like)s = '' or lower(name) like %(like)s or lower(display_name) like %(like)s)
 order by lower(name) limit %(most)s
