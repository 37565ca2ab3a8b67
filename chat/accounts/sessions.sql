-- name: insert_session
-- The password must still be the verified one. The lock waits for a concurrent change of it; a later change waits for this
-- transaction, sees the session, and ends it.
with account as (
    select id from users
     where id = %(user_id)s and disabled_at is null
       and (%(digests)s::bytea[] is null or sha256(convert_to(password_hash, 'UTF8')) = any(%(digests)s)) for share
)
insert into sessions (user_id, token_hash, device, address, host_cookie, expires_at)
select id, %(digest)s, %(device)s, %(address)s::inet, %(secure)s, now() + make_interval(days => %(days)s) from account
returning id

-- name: list_sessions
-- Active sessions, the last used first.
select id, device, host(address),
       to_char(created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       to_char(last_seen_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
  from sessions
 where user_id = %(user_id)s and (id = %(session_id)s or %(session_id)s is null) and ended_at is null
   and expires_at > now() and last_seen_at > now() - make_interval(days => %(idle_days)s)
 order by last_seen_at desc, id desc limit 500

-- name: lock_user
-- Every change to an account, and every end of its sessions, takes this lock first, so they cannot deadlock.
select id, name, display_name, role, about, time_zone, avatar, bot, false, owner_id, receipts, language, notify,
       (select t.notify from team t), keywords
  from users where id = %s for no key update

-- name: find_replaced
select user_id, id from sessions where token_hash = %s and ended_at is null

-- name: count_sessions
select count(*) from sessions where user_id = %s and ended_at is null and expires_at > now()

-- name: end_surplus_sessions
-- All but this session and the others used last.
update sessions set ended_at = now()
 where ended_at is null and id in (
    select id from sessions
     where user_id = %(user_id)s and id <> %(session_id)s and ended_at is null and expires_at > now()
     order by last_seen_at desc, id desc offset %(others)s)
returning id

-- name: renew_token
-- The session continues with a new token; the old token stops working.
update sessions set token_hash = %(digest)s, host_cookie = %(secure)s, proved_at = now()
 where id = %(session_id)s and ended_at is null
returning id

-- name: end_session
update sessions set ended_at = now() where user_id = %s and id = %s and ended_at is null returning id

-- name: end_other_sessions
update sessions set ended_at = now() where user_id = %s and id <> %s and ended_at is null returning id

-- name: find_trust
-- Whether this user has used the device, and the network, since the password last changed.
select exists (select from trusted_devices d
                where d.user_id = u.id and d.digest = %(digest)s and d.created_at > u.trusted_since
                  and d.created_at > now() - make_interval(days => %(days)s)),
       exists (select from sessions s
                where s.user_id = u.id and s.ended_at is null and s.address <<= %(network)s::inet and s.created_at > u.trusted_since
                  and s.created_at > now() - make_interval(days => %(days)s))
  from users u where lower(u.name) = %(name)s

-- name: replace_device
-- The token changes at each log-in, for all users of this browser.
update trusted_devices set digest = %(fresh)s where digest = %(old)s

-- name: trust_device
insert into trusted_devices (digest, user_id) values (%(fresh)s, %(user)s)
on conflict (digest, user_id) do update set created_at = now()

-- name: drop_devices
-- The newest stay.
delete from trusted_devices
 where user_id = %(user)s
   and digest not in (select digest from trusted_devices where user_id = %(user)s order by created_at desc limit %(most)s)
