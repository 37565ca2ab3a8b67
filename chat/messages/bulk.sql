-- name: read_roles
-- A user's roles in some conversations.
select conversation_id, role from memberships where user_id = %s and conversation_id = any(%s::bigint[]) and until is null
