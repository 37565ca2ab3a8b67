-- name: find_user
select id, disabled_at is not null, role from users where external_id = %s

-- name: insert_user
-- No row if the username is taken. The empty hash matches no password.
insert into users (name, display_name, password_hash, external_id) values (%s, %s, '', %s) on conflict do nothing
returning id

-- name: insert_session
-- A token has one session, also if two nodes see it first at the same time, and after that has ended.
insert into sessions (user_id, token_hash, device, expires_at, jwt)
values (%(user)s, %(digest)s, %(device)s, to_timestamp(%(expires_at)s), true)
on conflict do nothing
