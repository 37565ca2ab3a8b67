-- name: take_turn
-- One node at a time.
select pg_try_advisory_xact_lock(7263371)

-- name: drop_audit
delete from audit where id in (
    select id from audit where at < now() - make_interval(days => %(audit)s) order by at limit %(batch)s)

-- name: drop_events
-- Security events that are not about the use of admin rights.
delete from audit where id in (
    select id from audit
     where at < now() - make_interval(days => %(events)s)
       and action = any('{login.ok,login.failed,mfa.failed,reset.failed,invite.failed,setup.failed,admin.refused,origin.refused,limit.hit}')
     order by at limit %(batch)s)

-- name: drop_sessions
delete from sessions where id in (
    select id from sessions
     where least(expires_at, ended_at) < now() - make_interval(days => %(expired)s) and (expires_at < now() or not jwt)
     order by least(expires_at, ended_at) limit %(batch)s)

-- name: drop_invites
delete from invites where code_hash in (
    select code_hash from invites
     where expires_at < now() - make_interval(days => %(expired)s)
        or uses_left = 0 and created_at < now() - make_interval(days => %(expired)s) limit %(batch)s)

-- name: drop_setup_links
delete from setup_links where token_hash in (select token_hash from setup_links where expires_at < now() limit %(batch)s)

-- name: drop_links
delete from links where id in (
    select id from links
     where expires_at < now() - make_interval(days => %(expired)s)
        or uses_left = 0 and made_at < now() - make_interval(days => %(expired)s) limit %(batch)s)

-- name: drop_resets
delete from password_resets where token_hash in (
    select token_hash from password_resets where expires_at < now() limit %(batch)s)

-- name: drop_devices
-- Devices trusted before the last change of the password, which no longer counts.
delete from trusted_devices where ctid = any(array(
    select d.ctid from trusted_devices d join users u on u.id = d.user_id
     where d.created_at < u.trusted_since limit %(batch)s))

-- name: drop_challenges
delete from challenges where token_hash in (select token_hash from challenges where expires_at < now() limit %(batch)s)

-- name: drop_keys
-- Without its key, a keyed hash in the audit log reveals nothing about what was typed.
delete from audit_keys where day < current_date - 1

-- name: drop_logouts
delete from oidc_logouts where digest in (select digest from oidc_logouts where expires_at < now() limit %(batch)s)
