-- name: set_disabled
-- No row when it is so already.
update users set disabled_at = case when %(disabled)s then now() end
 where id = %(user_id)s and (disabled_at is not null) <> %(disabled)s
returning id
