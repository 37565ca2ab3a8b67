-- name: set_disabled
-- No row if nothing changes.
update users set disabled_at = case when %(disabled)s then now() end
 where id = %(user_id)s and (disabled_at is not null) <> %(disabled)s
returning id

-- name: lock_account
-- Locks all admins too, by id, so that of two who remove each other the second one sees what the first did.
select id, name, display_name, role, about, time_zone, avatar, bot, disabled_at is not null
  from users
 where (id = %(user)s or (role = 'admin' and disabled_at is null)) and deleted_at is null and not is_probe(id)
 order by id for no key update

-- name: set_role
update users set role = %s where id = %s
