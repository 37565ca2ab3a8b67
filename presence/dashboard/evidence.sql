-- name: name_sessions
-- Device names and addresses of sessions.
select id, device, host(address) from sessions where user_id = %s and id = any(%s::bigint[])

-- name: has_user
select from users where id = %s
