-- name: find_migrators
-- The sessions that hold the migrators' lock: process id, program, address, state, and seconds in that state.
select l.pid, coalesce(a.application_name, ''), coalesce(host(a.client_addr), 'local'), a.state,
       coalesce(extract(epoch from clock_timestamp() - a.state_change), 0)::float8
  from pg_locks l left join pg_stat_activity a on a.pid = l.pid
 where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = %s and l.objsubid = 1
   and l.database = (select oid from pg_database where datname = current_database())

-- name: find_users
-- The other sessions in this database that hold a lock on a table of ours, those in the oldest transaction first.
select a.pid, a.application_name, coalesce(host(a.client_addr), 'local'), a.state,
       coalesce(extract(epoch from clock_timestamp() - a.xact_start), 0)::float8
  from pg_stat_activity a
 where a.datname = current_database() and a.application_name <> 'tandem migrate'
   and a.pid in (select l.pid from pg_locks l join pg_class c on c.oid = l.relation
                  where l.locktype = 'relation' and l.granted and c.relnamespace = current_schema()::regnamespace)
 order by a.xact_start limit 3
