-- name: insert_probe
-- Nothing happens when it is there already, or when another probe takes the same id at this moment: try again.
-- Probes have the highest ids of all, counted from %(first)s.
insert into users (id, name, display_name, password_hash) overriding system value
select coalesce(max(id) + 1, %(first)s), %(name)s, %(name)s, '' from users where id >= %(first)s
on conflict do nothing

-- name: find_probe
select id from users where name = %s

-- name: insert_login
insert into sessions (user_id, token_hash, device, expires_at)
values (%s, %s, 'probe', now() + make_interval(secs => %s))

-- name: drop_logins
-- Those of earlier runs: nobody has their tokens any more.
delete from sessions where user_id = %s
