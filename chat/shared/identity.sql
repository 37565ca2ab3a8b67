-- name: find_sessions
-- Expiry is computed by this server's clock, so that a node's own clock does not matter.
-- A session by the sign-on provider needs no second factor here, because the provider asks for one.
-- An API key does not end by being idle, and has the rights of an admin by its scope. That scope counts while the key's
-- maker is an admin, or if the command line made it.
select s.token_hash, s.user_id, s.id, u.name, case when 'admin' = any(valid.scopes) then 'admin' else u.role end, s.host_cookie,
       u.role = 'admin' and %(admin_mfa)s
       and not exists (select from oidc_sessions o where o.session_id = s.id)
       and not exists (select from authenticators a where a.user_id = u.id and a.confirmed_at is not null)
       and not exists (select from passkeys p where p.user_id = u.id),
       extract(epoch from case when k.id is null then least(s.expires_at, s.last_seen_at + make_interval(days => %(idle_days)s))
                               else s.expires_at end - now())::float8,
       valid.scopes, k.conversations, k.created_by
  from sessions s join users u on u.id = s.user_id left join api_keys k on k.session_id = s.id
  left join lateral (
       select case when k.created_by is null
                     or exists (select from users m where m.id = k.created_by and m.role = 'admin' and m.disabled_at is null)
                   then k.scopes else array_remove(k.scopes, 'admin') end) as valid (scopes) on k.id is not null
 where s.token_hash = any(%(digests)s) and s.ended_at is null and u.disabled_at is null and s.expires_at > now()
   and (k.id is not null or s.last_seen_at > now() - make_interval(days => %(idle_days)s))

-- name: touch_sessions
update sessions set last_seen_at = now() where id = any(%s::bigint[])

-- name: find_proof
-- Seconds since the user of this session last proved who they are; no row when that is too long ago.
select extract(epoch from now() - proved_at)::float8 from sessions
 where id = %(session_id)s and ended_at is null and proved_at > now() - make_interval(secs => %(seconds)s)

-- name: find_acted
-- The users whom keys act for, by id or external id.
select asked.n, u.id, u.name, u.role, u.disabled_at is not null
  from unnest(%(ids)s::bigint[], %(externals)s::text[]) with ordinality as asked (id, external_id, n)
 cross join lateral (
       select * from users where id = asked.id union all select * from users where external_id = asked.external_id) u
 where not u.bot and u.deleted_at is null and not is_probe(u.id)

-- name: note_proof
update sessions set proved_at = now() where id = %s and ended_at is null

-- name: insert_probe
-- Does nothing if the probe exists, or if another probe takes the same id at this moment: then try again.
-- Probes have the highest ids of all, counted from %(first)s.
insert into users (id, name, display_name, password_hash) overriding system value
select coalesce(max(id) + 1, %(first)s), %(name)s, %(name)s, '' from users where id >= %(first)s
on conflict do nothing

-- name: find_probe
select id from users where name = %s

-- name: insert_probe_session
insert into sessions (user_id, token_hash, device, expires_at)
values (%s, %s, 'probe', now() + make_interval(secs => %s))

-- name: delete_probe_sessions
-- Those of earlier runs, too: their tokens are lost.
delete from sessions where user_id = %s
