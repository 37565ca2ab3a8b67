-- name: read_notice
select level, muted_until from memberships where conversation_id = %s and user_id = %s and until is null

-- name: set_notice
update memberships set level = %s, muted_until = %s where conversation_id = %s and user_id = %s and until is null
