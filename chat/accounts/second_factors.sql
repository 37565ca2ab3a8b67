-- name: begin_authenticator
-- No row if the user has a confirmed one.
insert into authenticators (user_id, secret) values (%(user_id)s, %(secret)s)
on conflict (user_id) do update set secret = excluded.secret, last_step = 0, created_at = now()
 where authenticators.confirmed_at is null
returning user_id

-- name: read_authenticator
-- The step by this server's clock, so that a node's own clock does not matter.
select secret, floor(extract(epoch from now()) / 30)::bigint from authenticators
 where user_id = %(user_id)s and (confirmed_at is not null) = %(confirmed)s

-- name: use_step
update authenticators set last_step = %(step)s, confirmed_at = coalesce(confirmed_at, now())
 where user_id = %(user_id)s and secret = %(secret)s and last_step < %(step)s
returning user_id

-- name: delete_authenticator
delete from authenticators where user_id = %s returning user_id

-- name: read_factors
select (select to_char(confirmed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
          from authenticators where user_id = u.id),
       (select count(*) from recovery_codes where user_id = u.id and used_at is null)
  from (select %s::bigint as id) u

-- name: delete_factors
with a as (delete from authenticators where user_id = %(user_id)s),
     p as (delete from passkeys where user_id = %(user_id)s),
     c as (delete from challenges where user_id = %(user_id)s)
delete from recovery_codes where user_id = %(user_id)s

-- name: delete_codes
delete from recovery_codes where user_id = %s

-- name: insert_codes
insert into recovery_codes (user_id, code_hash) select %s, unnest(%s::bytea[])

-- name: use_code
update recovery_codes set used_at = now() where user_id = %s and code_hash = %s and used_at is null
returning user_id
