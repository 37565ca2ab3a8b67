-- name: read_local_time
-- The time in a zone: the given one, else that of the user's profile, else UTC.
select zone.name, now() at time zone zone.name
  from coalesce(%(zone)s::text, (select nullif(time_zone, '') from users where id = %(user)s), 'UTC') as zone (name)

-- name: find_channel
-- The channel with the longest of these names that the user is a member of: first this conversation, then a public one.
select c.id, c.name, name.words
  from unnest(%(keys)s::text[]) with ordinality as name (key, words)
  join conversations c on c.kind = 'channel' and c.look_key = name.key and c.archived_at is null
  join memberships m on m.conversation_id = c.id and m.user_id = %(user)s and m.until is null
 order by name.words desc, c.id = %(conversation)s desc, c.private, c.id limit 1

-- name: name_channels
-- Those that the user is a member of now: a former member must not learn a new name.
select c.id, c.name from conversations c
  join memberships m on m.conversation_id = c.id and m.user_id = %(user)s and m.until is null
 where c.id = any(%(channels)s)

-- name: to_moment
select %(time)s::timestamp at time zone %(zone)s

-- name: to_local_times
select at at time zone %(zone)s from unnest(%(moments)s::timestamptz[]) with ordinality as moment (at, n) order by n
