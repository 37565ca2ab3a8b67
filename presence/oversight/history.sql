-- name: insert_sample
-- One row a minute, by this server's clock; whichever node comes first.
insert into presence_stats (minute, people, online, away, dnd, streams, sockets, nodes, reaped, ghosts, joins, leaves,
                            position)
values (date_trunc('minute', now()), %(people)s, %(online)s, %(away)s, %(dnd)s, %(streams)s, %(sockets)s, %(nodes)s,
        %(reaped)s, %(ghosts)s, %(joins)s, %(leaves)s, %(position)s)
on conflict (minute) do nothing

-- name: drop_old_samples
delete from presence_stats where minute < now() - make_interval(days => %s)

-- name: read_samples
-- The last so many minutes in steps of `step`. What goes up and down is the mean of the step, beside its peak; what only
-- grows is as of its end.
select to_char(date_bin(make_interval(mins => %(step)s), minute, 'epoch') at time zone 'UTC',
               'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       round(avg(people))::integer, max(people), round(avg(online))::integer, round(avg(away))::integer,
       round(avg(dnd))::integer, round(avg(streams))::integer, round(avg(sockets))::integer, round(avg(nodes))::integer,
       max(reaped), max(ghosts), max(joins), max(leaves), max(position)
  from presence_stats where minute > now() - make_interval(mins => %(minutes)s) group by 1 order by 1

-- name: find_people
-- By name, from after one: all, or those of `ids`, whose name or display name holds `like`.
select id, name, display_name, role, disabled_at is not null
  from users
 where lower(name) > %(after)s and deleted_at is null and not is_probe(id) and (%(ids)s::bigint[] is null or id = any(%(ids)s::bigint[]))
   and (%(like)s = '' or lower(name) like %(like)s or lower(display_name) like %(like)s)
 order by lower(name) limit %(most)s

-- name: name_rooms
-- Those of these conversations that an admin may hear of: not the directs, whose two people would be named by it; and of
-- the private ones that they are, not how they are called.
with known as (
    select id, kind, case when kind = 'channel' and not private then name end as name
      from conversations
     where id = any(%(ids)s::bigint[]) and not is_probe(id) and kind <> 'direct' and archived_at is null)
select id, kind, name from known where %(like)s = '' or lower(name) like %(like)s
