-- name: list_members
select m.user_id, m.role, m.joined_at from memberships m
 where m.conversation_id = %s and m.until is null and m.user_id > %s order by m.user_id limit %s
