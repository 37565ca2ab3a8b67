-- name: insert_bot
-- No row if the name is taken. The empty hash matches no password.
insert into users (name, display_name, password_hash, bot, owner_id) values (%s, %s, '', true, %s)
on conflict do nothing returning id

-- name: lock_owner
-- Waits for a concurrent change of the account, such as its disabling, which waits for this transaction otherwise.
select from users where id = %s and disabled_at is null for share

-- name: insert_session
-- Without an expiry the session outlives everyone; it does not end by being idle either.
insert into sessions (user_id, token_hash, device, expires_at)
values (%(user)s, %(digest)s, %(name)s, coalesce(%(expires_at)s, now() + interval '100 years'))
returning id

-- name: insert_key
insert into api_keys (name, prefix, scopes, conversations, user_id, session_id, created_by, expires_at)
values (%(name)s, %(prefix)s, %(scopes)s, %(conversations)s, %(user)s, %(session)s, %(actor)s, %(expires_at)s)
returning id

-- name: read_keys
-- Keys that are not revoked, the newest first. A session that was never used was seen last when it was made.
select k.id, k.name, k.prefix, k.scopes, k.conversations, u.id, u.name, u.display_name, k.created_at, k.expires_at,
       nullif(s.last_seen_at, s.created_at)
  from api_keys k join sessions s on s.id = k.session_id join users u on u.id = k.user_id
 where s.ended_at is null and (k.id = %(id)s or %(id)s::bigint is null) and k.id < %(before)s
 order by k.id desc limit %(most)s

-- name: find_key
select user_id, session_id, name from api_keys where id = %s
