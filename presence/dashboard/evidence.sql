-- name: name_sessions
-- What the logins call themselves, and where they came from.
select id, device, host(address) from sessions where user_id = %s and id = any(%s::bigint[])

-- name: has_user
select from users where id = %s
