-- name: raise_floor
update log_head set floor = %(floor)s where floor < %(floor)s

-- name: limit_wait
-- The longest wait for a lock, in this transaction.
select set_config('lock_timeout', %s, true)

-- name: list_partitions
-- The partitions of the log with the bounds from their definitions, oldest first. One that another node drops right now
-- has no bounds any more.
with bounds as materialized (
    select c.relname, pg_get_expr(c.relpartbound, c.oid) as bound
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'log'::regclass and not i.inhdetachpending)
select relname, (regexp_match(bound, 'FROM \(''?(\d+)''?\)'))[1]::bigint as low,
       (regexp_match(bound, 'TO \(''?(\d+)''?\)'))[1]::bigint as high
  from bounds where bound is not null
 order by low

-- name: make_partition
-- From the first position up to the second, exclusive. A function of the owner, because nodes own no table.
select make_log_partition(%s, %s)

-- name: drop_partition
-- Do nothing if another node has dropped it.
select drop_log_partition(c.relname::text)
  from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'log'::regclass and c.relname = %s

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
