-- name: set_disabled
-- No row if nothing changes.
update users set disabled_at = case when %(disabled)s then now() end
 where id = %(user_id)s and (disabled_at is not null) <> %(disabled)s
returning id

-- name: lock_account
-- Locks all admins too, by id, so that of two who remove each other the second one sees what the first did; and the
-- user's bots, whose sessions may end with the user's.
select id, name, display_name, role, about, time_zone, avatar, bot, false, owner_id, disabled_at is not null
  from users
 where (id = %(user)s or (role = 'admin' and disabled_at is null) or owner_id = %(user)s)
   and deleted_at is null and not is_probe(id)
 order by id for no key update

-- name: set_role
update users set role = %s where id = %s

-- name: list_bots_with_keys
select distinct b.id
  from users b join api_keys k on k.user_id = b.id join sessions s on s.id = k.session_id
 where b.owner_id = %s and s.ended_at is null order by b.id

-- name: list_accounts
-- Accounts of people by name. A text finds the beginning of a username, and any part of a display name. `keys`: how many
-- keys of names are compared at most.
select u.id, u.name, u.display_name, u.role, u.avatar, u.disabled_at is not null, u.created_at,
       (select max(s.last_seen_at) from sessions s where s.user_id = u.id),
       (select n.inviter from invite_uses n where n.user_id = u.id)
  from users u
 where lower(u.name) > %(after)s and u.deleted_at is null and not u.bot and not is_probe(u.id)
   and (%(role)s = '' or u.role = %(role)s)
   and (%(state)s = '' or (u.disabled_at is not null) = (%(state)s = 'disabled'))
   and (%(text)s = '' or u.id in (
        (select k.user_id from user_names k
          where k.kind = 0 and k.key >= user_key(%(text)s) and k.key < user_key(%(beyond)s) order by k.key limit %(keys)s)
         union
        (select k.user_id from user_names k
          where k.kind = 1 and k.key >= user_key(%(text)s) and k.key < user_key(%(beyond)s) order by k.key limit %(keys)s)))
 order by lower(u.name) limit %(most)s

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
