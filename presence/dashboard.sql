-- name: insert_sample
-- One row a minute, by this server's clock, from the first node that inserts it.
insert into presence_stats (minute, people, online, away, dnd, streams, sockets, nodes, reaped, ghosts, joins, leaves,
                            position)
values (date_trunc('minute', now()), %(people)s, %(online)s, %(away)s, %(dnd)s, %(streams)s, %(sockets)s, %(nodes)s,
        %(reaped)s, %(ghosts)s, %(joins)s, %(leaves)s, %(position)s)
on conflict (minute) do nothing

-- name: drop_old_samples
delete from presence_stats where minute < now() - make_interval(days => %s)

-- name: read_samples
-- The last `minutes` in steps of `step`. Gauges are the mean of the step, with the peak of people; counters are the value
-- at its end.
select to_char(date_bin(make_interval(mins => %(step)s), minute, 'epoch') at time zone 'UTC',
               'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       round(avg(people))::integer, max(people), round(avg(online))::integer, round(avg(away))::integer,
       round(avg(dnd))::integer, round(avg(streams))::integer, round(avg(sockets))::integer, round(avg(nodes))::integer,
       max(reaped), max(ghosts), max(joins), max(leaves), max(position)
  from presence_stats where minute > now() - make_interval(mins => %(minutes)s) group by 1 order by 1

-- name: name_rooms
-- Conversations that an admin may see: no direct messages, which would name two users; private ones without their names.
with known as (
    select id, kind, case when kind = 'channel' and not private then name end as name
      from conversations
     where id = any(%(ids)s::bigint[]) and not is_probe(id) and kind <> 'direct' and archived_at is null)
select id, kind, name from known where %(like)s = '' or lower(name) like %(like)s

-- name: find_people
-- Users by name, after `after`: all or those of `ids`, whose name or display name matches `like`.
select id, name, display_name, role, disabled_at is not null
  from users
 where lower(name) > %(after)s and deleted_at is null and not is_probe(id) and (%(ids)s::bigint[] is null or id = any(%(ids)s::bigint[]))
   and (%(like)s = '' or lower(name) like %(like)s or lower(display_name) like %(like)s)
 order by lower(name) limit %(most)s

-- name: name_sessions
-- Device names and addresses of sessions.
select id, device, host(address) from sessions where user_id = %s and id = any(%s::bigint[])

-- name: has_user
select from users where id = %s
