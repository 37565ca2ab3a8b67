-- name: lock_subject
-- Two log-ins of a new user at once create one account.
select pg_advisory_xact_lock(hashtextextended(%s, 7263381))

-- name: find_user
select u.id, u.disabled_at is not null, u.role
  from oidc_accounts a join users u on u.id = a.user_id where a.issuer = %s and a.subject = %s

-- name: insert_link
-- Return no row if the subject belongs to an account already.
insert into oidc_accounts (issuer, subject, user_id) values (%s, %s, %s) on conflict do nothing returning user_id

-- name: has_link
select exists (select from oidc_accounts where user_id = %s and issuer = %s)

-- name: share_logouts
-- A session is stored either before a log-out, which finds it, or after, and then it finds the log-out.
select pg_advisory_xact_lock_shared(7263382)

-- name: lock_logouts
select pg_advisory_xact_lock(7263382)

-- name: is_logged_out
-- `sid`: a session of the provider that has ended never returns.
select exists (
    select from oidc_logouts
     where issuer = %(issuer)s
       and (sid = %(sid)s or (sid is null and subject = %(subject)s and issued_at >= to_timestamp(%(issued_at)s))))

-- name: insert_session
insert into oidc_sessions (session_id, issuer, subject, sid) values (%(session)s, %(issuer)s, %(subject)s, %(sid)s)

-- name: insert_logout
-- Return no row if it was received before.
insert into oidc_logouts (digest, issuer, subject, sid, issued_at, expires_at)
values (%(digest)s, %(issuer)s, %(subject)s, %(sid)s, to_timestamp(%(issued_at)s), now() + make_interval(secs => %(seconds)s))
on conflict do nothing returning issued_at

-- name: find_sessions
select s.user_id, s.id from oidc_sessions o join sessions s on s.id = o.session_id
 where o.issuer = %(issuer)s and (o.sid = %(sid)s or %(sid)s::text is null)
   and (o.subject = %(subject)s or %(subject)s::text is null) and s.ended_at is null
 order by s.user_id, s.id
