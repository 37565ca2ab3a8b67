-- name: raise_floor
update log_head set floor = greatest(floor, %s)

-- name: list_partitions
-- The partitions of the log with the bounds from their definitions, oldest first.
select c.relname,
       (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''?(\d+)''?\)'))[1]::bigint as low,
       (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''?(\d+)''?\)'))[1]::bigint as high
  from pg_inherits i join pg_class c on c.oid = i.inhrelid
 where i.inhparent = 'log'::regclass and not i.inhdetachpending
 order by low

-- name: make_partition
-- From the first position up to the second, exclusive. A function of the owner, because nodes own no table.
select make_log_partition(%s, %s)

-- name: drop_partition
select drop_log_partition(%s)

-- name: newest_before
-- The time of the last entry below a position.
select at from log where position < %s order by position desc limit 1

-- name: is_older
select %s::timestamptz < now() - make_interval(days => %s)

-- name: end_stuck
-- Sessions that wait for their node inside a transaction. The function is in the select list: among the conditions,
-- PostgreSQL could call it before it has checked the others.
select pid, client_addr, client_port, pg_terminate_backend(pid) from pg_stat_activity
 where datname = current_database() and usename = current_user and application_name = 'tandem'
   and xact_start is not null and wait_event = 'ClientRead'
   and state_change < clock_timestamp() - make_interval(secs => %s)
