-- name: read_page
-- The latest first, from before the row with this id.
select id, to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), actor, action, subject, host(address), detail
  from audit where id < %s order by id desc limit %s

-- name: drop_old
delete from audit where at < now() - make_interval(days => %s)
