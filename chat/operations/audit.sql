-- name: read_page
-- The latest first, from before the row with this id; of one kind of action, and of one person as actor or subject,
-- where that is asked for.
select id, to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), actor, action, subject, host(address), detail
  from audit
 where id < %(after)s and starts_with(action, %(action)s)
   and (%(user)s = 0 or actor = %(user)s or subject = %(user)s)
 order by id desc limit %(most)s

-- name: drop_old
delete from audit where at < now() - make_interval(days => %s)
