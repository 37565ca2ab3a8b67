-- name: name_sessions
-- What the logins call themselves, and where they came from.
select id, device, host(address) from sessions where user_id = %s and id = any(%s::bigint[])

-- name: insert_sample
-- One row a minute, by this server's clock; whichever node comes first.
insert into presence_stats (minute, people, online, away, dnd, streams, sockets, nodes, reaped)
values (date_trunc('minute', now()), %(people)s, %(online)s, %(away)s, %(dnd)s, %(streams)s, %(sockets)s, %(nodes)s,
        %(reaped)s)
on conflict (minute) do nothing

-- name: drop_old_samples
delete from presence_stats where minute < now() - make_interval(days => %s)

-- name: read_samples
select to_char(minute at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       people, online, away, dnd, streams, sockets, nodes, reaped
  from presence_stats where minute > now() - make_interval(mins => %s) order by minute
