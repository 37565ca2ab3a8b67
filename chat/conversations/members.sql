-- name: list_members
select m.user_id, m.role, m.joined_at from memberships m
 where m.conversation_id = %s and m.until is null and m.user_id > %s order by m.user_id limit %s

-- name: read_notifications
select level, muted_until from memberships where conversation_id = %s and user_id = %s and until is null

-- name: set_notifications
update memberships set level = %s, muted_until = %s where conversation_id = %s and user_id = %s and until is null
