-- name: insert_reset
-- A new link replaces the previous one. No row for a disabled account or a bot.
with account as (select id from users where id = %(user)s and disabled_at is null and not bot and not is_probe(id) for no key update),
     gone as (delete from password_resets where user_id in (select id from account) and token_hash <> %(digest)s)
insert into password_resets (token_hash, user_id, made_by, second_factors, expires_at)
select %(digest)s, id, %(actor)s, %(second_factors)s, now() + make_interval(hours => %(hours)s) from account
returning to_char(expires_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')

-- name: find_reset
select u.id, u.name, u.display_name, u.role
  from password_resets r join users u on u.id = r.user_id
 where r.token_hash = %s and r.expires_at > now() and u.disabled_at is null

-- name: use_reset
-- No row if the link has been used meanwhile. The user is locked.
delete from password_resets r using users u
 where r.token_hash = %s and r.expires_at > now() and u.id = r.user_id and u.disabled_at is null
returning r.second_factors

-- name: set_password
update users set password_hash = %s where id = %s

-- name: has_user
select bot from users where id = %s and not is_probe(id)
