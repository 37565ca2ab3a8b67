-- name: insert_challenge
insert into challenges (token_hash, purpose, user_id, session_id, password_digests, expires_at)
values (%(digest)s, %(purpose)s, %(user_id)s, %(session_id)s, %(password_digests)s,
        now() + make_interval(secs => %(seconds)s))

-- name: delete_expired
delete from challenges where token_hash in (
    select token_hash from challenges where expires_at < now() order by expires_at limit 20 for update skip locked)

-- name: count_attempt
update challenges set attempts_left = attempts_left - 1
 where token_hash = %(digest)s and purpose = %(purpose)s and session_id is not distinct from %(session_id)s
   and expires_at > now() and attempts_left > 0
returning user_id, password_digests

-- name: delete_challenge
delete from challenges where token_hash = %s returning token_hash

-- name: list_passkeys
select id, name, to_char(created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       to_char(last_used_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
  from passkeys where user_id = %s order by id

-- name: read_descriptors
select credential_id, transports from passkeys where user_id = %s order by id

-- name: insert_passkey
-- No row if another account has this passkey.
insert into passkeys (user_id, credential_id, public_key, sign_count, transports, name)
values (%(user_id)s, %(credential_id)s, %(public_key)s, %(sign_count)s, %(transports)s, %(name)s)
on conflict do nothing
returning id, name, to_char(created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), null

-- name: find_passkey
select id, user_id, public_key, sign_count from passkeys
 where credential_id = %(credential_id)s and (user_id = %(user_id)s or %(user_id)s::bigint is null)

-- name: note_use
update passkeys set sign_count = %s, last_used_at = now() where id = %s

-- name: rename_passkey
update passkeys set name = %s where user_id = %s and id = %s returning id

-- name: delete_passkey
delete from passkeys where user_id = %s and id = %s returning id
