-- name: insert_user
-- No row if the name is taken.
insert into users (name, display_name, password_hash, role) values (%s, %s, %s, %s)
on conflict do nothing
returning id

-- name: find_credentials
select id, name, display_name, role, about, time_zone, avatar, password_hash
  from users where lower(name) = %s and disabled_at is null and not bot

-- name: read_credentials
select id, name, display_name, role, about, time_zone, avatar, password_hash from users where id = %s and disabled_at is null

-- name: renew_hash
-- The same password, hashed with the current parameters. A concurrent change of the password wins.
update users set password_hash = %(fresh)s where id = %(user_id)s and password_hash = %(stored)s

-- name: set_password
-- Earlier reset links stop working.
with revoked as (delete from password_resets where user_id = %(user_id)s)
update users set password_hash = %(fresh)s where id = %(user_id)s and password_hash = %(stored)s returning id

-- name: set_profile
update users set display_name = %s, about = %s, time_zone = %s, receipts = %s, language = %s where id = %s

-- name: find_time_zone
select true from pg_timezone_names where name = %s limit 1
