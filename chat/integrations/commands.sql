-- name: read_local_time
-- The time in a zone: the given one, else that of the user's profile, else UTC.
select zone.name, now() at time zone zone.name
  from coalesce(%(zone)s::text, (select nullif(time_zone, '') from users where id = %(user)s), 'UTC') as zone (name)

-- name: to_moment
select %(time)s::timestamp at time zone %(zone)s

-- name: to_local_times
select at at time zone %(zone)s from unnest(%(moments)s::timestamptz[]) with ordinality as moment (at, n) order by n
