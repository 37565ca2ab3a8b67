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
