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
update users set display_name = %s, about = %s, time_zone = %s, receipts = %s, language = %s, notify = %s, keywords = %s
 where id = %s

-- name: drop_keywords
delete from keywords where user_id = %s

-- name: insert_keywords
insert into keywords (user_id, folded, first)
select %(user)s, new.folded, new.first from unnest(%(folded)s::text[], %(firsts)s::text[]) as new (folded, first)

-- name: find_time_zone
select true from pg_timezone_names where name = %s limit 1

-- name: mark_demo
insert into demo_accounts (user_id) select unnest(%s::bigint[]) on conflict do nothing

-- name: count_demo
select count(*)
  from demo_accounts d
  join users u on u.id = d.user_id
 where u.disabled_at is null
