-- name: insert_session
-- A token has one session, also if two nodes see it first at the same time, and after that has ended.
insert into sessions (user_id, token_hash, device, expires_at, jwt)
values (%(user)s, %(digest)s, %(device)s, to_timestamp(%(expires_at)s), true)
on conflict do nothing
