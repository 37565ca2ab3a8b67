-- name: insert_row
insert into audit (actor, action, subject, address, detail) values (%s, %s, %s, %s::inet, %s::jsonb)

-- name: read_page
-- The latest first. `after`: the id of the last row that is known already.
select id, to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), actor, action, subject, host(address), detail
  from audit where %(after)s::bigint is null or id < %(after)s order by id desc limit %(most)s

-- name: drop_old
delete from audit where at < now() - make_interval(days => %s)
