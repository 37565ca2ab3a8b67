-- name: find_migrators
-- The sessions that hold the migrators' lock: process id, program, address, state, and seconds in that state.
select l.pid, coalesce(a.application_name, ''), coalesce(host(a.client_addr), 'local'), a.state,
       coalesce(extract(epoch from clock_timestamp() - a.state_change), 0)::float8
  from pg_locks l left join pg_stat_activity a on a.pid = l.pid
 where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = %s and l.objsubid = 1
   and l.database = (select oid from pg_database where datname = current_database())

-- name: list_channel_names
select id, name, look_key, skeleton from conversations where kind = 'channel' and id > %s order by id limit %s

-- name: fill_look_key
-- A channel whose look another one has keeps a key of its own, which no name has because of U+F8FF and the id.
update conversations c
   set look_key = new.key, skeleton = new.skeleton
  from (select n.id, n.name, n.skeleton, o.id is not null as own,
               case when o.id is null then n.key else n.key || U&'\F8FF' || n.id end as key
          from (values (%s::bigint, %s::text, %s::text, %s::text)) as n (id, name, key, skeleton)
          left join lateral (
               select o.id from conversations o
                where o.look_key = n.key and o.kind = 'channel' and o.archived_at is null and o.id <> n.id
                  and exists (select from conversations m where m.id = n.id and m.archived_at is null)
                limit 1) o on true) new
 where c.id = new.id and c.name = new.name
   and (c.look_key is distinct from new.key or c.skeleton is distinct from new.skeleton)
returning c.id, c.name, new.own

-- name: find_users
-- The other sessions in this database that hold a lock on a table of ours, those in the oldest transaction first.
select a.pid, a.application_name, coalesce(host(a.client_addr), 'local'), a.state,
       coalesce(extract(epoch from clock_timestamp() - a.xact_start), 0)::float8
  from pg_stat_activity a
 where a.datname = current_database() and a.application_name <> 'tandem migrate'
   and a.pid in (select l.pid from pg_locks l join pg_class c on c.oid = l.relation
                  where l.locktype = 'relation' and l.granted and c.relnamespace = current_schema()::regnamespace)
 order by a.xact_start limit 3
