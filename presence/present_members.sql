-- name: is_member
select exists (select from memberships where conversation_id = %s and user_id = %s and until is null)

-- name: count_members
-- At most one more than the limit, so that the cost is bounded.
select count(*) from (select from memberships where conversation_id = %s and until is null limit %s) as counted

-- name: choose_members
-- Which of these users are members.
select user_id from memberships where conversation_id = %s and user_id = any(%s::bigint[]) and until is null

-- name: list_members
select user_id from memberships where conversation_id = %s and user_id > %s and until is null order by user_id limit %s
