-- name: read_page
-- The latest first, before the row with this id; optionally of one kind of action and of a period. Rows are written up to a
-- minute after the event, so times follow the order of ids with some slack.
select id, to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), actor, action, subject, host(address),
       session, device, times, detail, acted_by
  from audit
 where id < least(%(after)s, coalesce((select b.id from audit b where b.at >= %(until)s + interval '5 minutes'
                                        order by b.at, b.id limit 1), %(after)s))
   and starts_with(action, %(action)s) and at >= %(since)s and at < %(until)s
 order by id desc limit %(most)s

-- name: read_page_of
-- The same for one user, as actor or subject.
select a.id, to_char(a.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), a.actor, a.action, a.subject,
       host(a.address), a.session, a.device, a.times, a.detail, a.acted_by
  from ((select * from audit
          where actor = %(user)s and id < %(after)s and starts_with(action, %(action)s)
            and at >= %(since)s and at < %(until)s order by id desc limit %(most)s)
         union
        (select * from audit
          where subject = %(user)s and id < %(after)s and starts_with(action, %(action)s)
            and at >= %(since)s and at < %(until)s order by id desc limit %(most)s)) a
 order by a.id desc limit %(most)s

-- name: read_own
-- A user's own security events, without what admins noted about them.
select a.id, to_char(a.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), a.action, a.actor = %(user)s,
       case when a.actor is null or a.actor = %(user)s then host(a.address) end,
       case when a.actor is null or a.actor = %(user)s then a.session end,
       case when a.actor is null or a.actor = %(user)s then a.device else '' end, a.times
  from ((select * from audit
          where actor = %(user)s and id < %(after)s and split_part(action, '.', 1) = any(%(kinds)s)
            and (subject = %(user)s or subject is null) order by id desc limit %(most)s)
         union
        (select * from audit
          where subject = %(user)s and id < %(after)s and split_part(action, '.', 1) = any(%(kinds)s)
            and action <> all(%(hidden)s) order by id desc limit %(most)s)) a
 order by a.id desc limit %(most)s

-- name: read_head
select coalesce(max(id), 0) from audit

-- name: list_writers
-- Transactions that are writing rows now. One of them may still commit a row with a lower id than the last one.
select coalesce(array_agg(virtualtransaction), '{}')
  from pg_locks
 where locktype = 'relation' and relation = 'audit'::regclass and mode = 'RowExclusiveLock' and granted
   and database = (select oid from pg_database where datname = current_database()) and pid <> pg_backend_pid()

-- name: export_page
-- By id, up to an id below which no new row will appear.
select id, to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), actor, action, subject, host(address),
       session, device, times, detail, acted_by
  from audit
 where id > %(after)s and id <= %(head)s and at >= %(since)s
 order by id limit %(most)s

-- name: find_start
-- The last row before a time, for an export that starts there. Ids and times have nearly the same order, so the export
-- starts at the lowest id among the first rows of that time.
select coalesce((select min(id) - 1 from (select id from audit where at >= %s order by at limit 1000) as first),
                (select max(id) from audit), 0)
