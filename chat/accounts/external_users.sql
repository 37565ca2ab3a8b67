-- name: find_user
select id, disabled_at is not null from users where external_id = %s

-- name: insert_user
-- No row if the username or the external id is taken. The empty hash matches no password.
insert into users (name, display_name, password_hash, external_id) values (%s, %s, '', %s) on conflict do nothing
returning id

-- name: read_user
select id, name, display_name, role, about, time_zone, avatar, bot, disabled_at is not null, external_id, email
  from users where external_id = %s

-- name: set_fields
-- An address of null stays; an empty one is removed.
update users set name = %(name)s, display_name = %(display_name)s, email = nullif(coalesce(%(email)s, email), '')
 where id = %(user)s and (name, display_name, coalesce(email, '')) is distinct from
       (%(name)s, %(display_name)s, coalesce(%(email)s, email, ''))

-- name: is_trusted
-- The key of this session, if its maker is still an admin, or the command line.
select from api_keys k left join users m on m.id = k.created_by
 where k.session_id = %s and (k.created_by is null or (m.role = 'admin' and m.disabled_at is null))

-- name: limit_session
-- A session that nobody logged in to proves nothing. It ends as given, but never later than others.
update sessions set proved_at = null, expires_at = least(expires_at, now() + make_interval(secs => %(seconds)s))
 where id = %(session)s
returning to_char(expires_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')

-- name: find_avatar_url
select avatar_url from users where external_id = %s and avatar is not null

-- name: set_avatar_url
update users set avatar_url = %s where id = %s
