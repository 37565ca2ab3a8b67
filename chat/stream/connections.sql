-- name: insert_records
insert into stream_records (node, id, user_id, session_id, opened, opened_at)
select %s, record.id, record.user_id, record.session_id, record.opened, now() - make_interval(secs => record.age)
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::float8[])
       as record (id, user_id, session_id, opened, age)
    on conflict (id) do nothing

-- name: close_records
update stream_records r
   set closed = nullif(ended.closed, 0), reason = nullif(ended.reason, ''),
       closed_at = now() - make_interval(secs => ended.age)
  from unnest(%s::bigint[], %s::bigint[], %s::text[], %s::float8[]) as ended (id, closed, reason, age)
 where r.id = ended.id

-- name: drop_records
-- A stream without an end was cut off when its node died.
delete from stream_records
 where closed_at < now() - make_interval(days => %s)
    or closed_at is null and opened_at < now() - make_interval(days => 60)
