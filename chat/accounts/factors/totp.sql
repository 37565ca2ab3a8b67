-- name: begin_authenticator
-- No row when there is a confirmed one.
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
