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
