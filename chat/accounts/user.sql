-- name: insert_user
-- No row when the name is taken.
insert into users (name, display_name, password_hash, role) values (%s, %s, %s, %s)
on conflict do nothing
returning id

-- name: find_credentials
select id, name, display_name, role, about, time_zone, avatar, password_hash
  from users where lower(name) = lower(%s) and disabled_at is null

-- name: read_credentials
select id, name, display_name, role, about, time_zone, avatar, password_hash from users where id = %s and disabled_at is null

-- name: renew_hash
-- The same password, hashed with today's parameters; a change of the password meanwhile wins.
update users set password_hash = %(fresh)s where id = %(user_id)s and password_hash = %(stored)s

-- name: insert_session
-- The password must still be the one that was verified: the lock waits for a change of it that is under way, and such
-- a change waits for us, sees this session, and ends it.
with holder as (
    select id from users
     where id = %(user_id)s and disabled_at is null
       and (%(digests)s::bytea[] is null or sha256(convert_to(password_hash, 'UTF8')) = any(%(digests)s)) for share
)
insert into sessions (user_id, token_hash, device, address, host_cookie, expires_at)
select id, %(digest)s, %(device)s, %(address)s::inet, %(secure)s, now() + make_interval(days => %(days)s) from holder
returning id

-- name: note_proof
update sessions set proved_at = now() where id = %s and ended_at is null

-- name: list_sessions
-- The logins that still hold, the one used last first.
select id, device, host(address),
       to_char(created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       to_char(last_seen_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
  from sessions
 where user_id = %(user_id)s and (id = %(session_id)s or %(session_id)s is null) and ended_at is null
   and expires_at > now() and last_seen_at > now() - make_interval(days => %(idle_days)s)
 order by last_seen_at desc, id desc limit 500

-- name: lock_user
-- Whoever ends logins or changes an account takes this lock first, so that two of them never wait for each other.
select id, name, display_name, role, about, time_zone, avatar, receipts from users where id = %s for no key update

-- name: find_replaced
select user_id, id from sessions where token_hash = %s and ended_at is null

-- name: count_sessions
select count(*) from sessions where user_id = %s and ended_at is null and expires_at > now()

-- name: end_surplus_sessions
-- All but this one and the others used last.
update sessions set ended_at = now()
 where ended_at is null and id in (
    select id from sessions
     where user_id = %(user_id)s and id <> %(session_id)s and ended_at is null and expires_at > now()
     order by last_seen_at desc, id desc offset %(others)s)
returning id

-- name: renew_token
-- The session goes on under another token; whoever has the old one has nothing.
update sessions set token_hash = %(digest)s, host_cookie = %(secure)s, proved_at = now()
 where id = %(session_id)s and ended_at is null
returning id

-- name: end_session
update sessions set ended_at = now() where user_id = %s and id = %s and ended_at is null returning id

-- name: end_other_sessions
update sessions set ended_at = now() where user_id = %s and id <> %s and ended_at is null returning id

-- name: set_disabled
-- No row when it is so already.
update users set disabled_at = case when %(disabled)s then now() end
 where id = %(user_id)s and (disabled_at is not null) <> %(disabled)s
returning id

-- name: set_password
-- Reset links from before are of no use any more.
with gone as (delete from password_resets where user_id = %(user_id)s)
update users set password_hash = %(fresh)s where id = %(user_id)s and password_hash = %(stored)s returning id

-- name: set_profile
update users set display_name = %s, about = %s, time_zone = %s, receipts = %s where id = %s

-- name: find_time_zone
select true from pg_timezone_names where name = %s limit 1

-- name: read_me
select id, name, display_name, role, about, time_zone, avatar, receipts from users where id = %s

-- name: read_users
-- With a viewer, only those who have ever been in a conversation that the viewer is in: their messages are there.
select u.id, u.name, u.display_name, u.role, u.about, u.time_zone, u.avatar, u.disabled_at is not null from users u
 where u.id = any(%(ids)s) and not is_probe(u.id)
   and (%(viewer)s::bigint is null or u.id = %(viewer)s
        or exists (select from memberships theirs join memberships mine using (conversation_id)
                    where theirs.user_id = u.id and mine.user_id = %(viewer)s and mine.until is null))
 order by u.id

-- name: list_conversations_of
select conversation_id from memberships where user_id = %s and until is null order by conversation_id

-- name: find_users
-- Whose name begins so, then whose shown name contains it. Each is the beginning of one range of keys: few are read
-- whatever is asked and however many there are. One person may have several keys that begin so. With a viewer, only
-- those are found who share a conversation, among the first thousand of each range.
with named as (
    select k.user_id
      from (select * from user_names where kind = 0 and key >= %(text)s and key < %(beyond)s order by key limit 1000) k
      join users u on u.id = k.user_id and u.disabled_at is null and not is_probe(u.id)
     where %(viewer)s::bigint is null or u.id = %(viewer)s
        or exists (select from memberships theirs join memberships mine using (conversation_id)
                    where theirs.user_id = u.id and theirs.until is null
                      and mine.user_id = %(viewer)s and mine.until is null)
     order by k.key limit %(most)s),
shown as (
    select k.user_id
      from (select * from user_names where kind = 1 and key >= %(text)s and key < %(beyond)s order by key limit 1000) k
      join users u on u.id = k.user_id and u.disabled_at is null and not is_probe(u.id)
     where %(viewer)s::bigint is null or u.id = %(viewer)s
        or exists (select from memberships theirs join memberships mine using (conversation_id)
                    where theirs.user_id = u.id and theirs.until is null
                      and mine.user_id = %(viewer)s and mine.until is null)
     order by k.key limit 10 * %(most)s)
select u.id, u.name, u.display_name, u.role, u.about, u.time_zone, u.avatar
  from users u where u.id in (select user_id from named union select user_id from shown)
 order by lower(u.name) = %(text)s desc, starts_with(lower(u.name), %(text)s) desc, u.name
 limit %(most)s

-- name: insert_invite
insert into invites (code_hash, uses_left, created_by, expires_at)
values (%(digest)s, %(uses)s, %(user_id)s, now() + make_interval(days => %(days)s))
returning to_char(expires_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')

-- name: use_invite
-- No row when it is unknown, used up or expired.
update invites set uses_left = uses_left - 1
 where code_hash = %s and uses_left > 0 and expires_at > now()
returning uses_left

-- name: find_imitated
-- An admin whose shown name looks like this one, unless the user is an admin too.
select a.id from users a
 where look_of(a.display_name) = look_of(%(name)s) and a.role = 'admin' and a.disabled_at is null and a.id <> %(user)s
   and not exists (select from users u where u.id = %(user)s and u.role = 'admin')
 limit 1
