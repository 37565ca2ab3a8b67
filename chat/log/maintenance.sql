-- name: raise_floor
update log_head set floor = greatest(floor, %s)

-- name: list_partitions
-- The log's partitions with the bounds that their definition names, oldest first.
select c.relname,
       (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''?(\d+)''?\)'))[1]::bigint as low,
       (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''?(\d+)''?\)'))[1]::bigint as high
  from pg_inherits i join pg_class c on c.oid = i.inhrelid
 where i.inhparent = 'log'::regclass and not i.inhdetachpending
 order by low

-- name: make_partition
-- For positions from the first up to, and without, the second. A function of the owner: nodes own no table.
select make_log_partition(%s, %s)

-- name: drop_partition
select drop_log_partition(%s)

-- name: newest_before
-- When the last entry below a position was written.
select at from log where position < %s order by position desc limit 1

-- name: is_older
select %s::timestamptz < now() - make_interval(days => %s)

-- name: end_stuck
-- Sessions of nodes that wait for their node's next word in the middle of a transaction. The function stands above the
-- conditions, not among them, where it could be called before the others have been looked at.
select pid, client_addr, client_port, pg_terminate_backend(pid) from pg_stat_activity
 where datname = current_database() and usename = current_user and application_name = 'tandem'
   and xact_start is not null and wait_event = 'ClientRead'
   and state_change < clock_timestamp() - make_interval(secs => %s)
