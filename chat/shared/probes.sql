-- name: insert_probe
-- Does nothing if the probe exists, or if another probe takes the same id at this moment: then try again.
-- Probes have the highest ids of all, counted from %(first)s.
insert into users (id, name, display_name, password_hash) overriding system value
select coalesce(max(id) + 1, %(first)s), %(name)s, %(name)s, '' from users where id >= %(first)s
on conflict do nothing

-- name: find_probe
select id from users where name = %s

-- name: insert_session
insert into sessions (user_id, token_hash, device, expires_at)
values (%s, %s, 'probe', now() + make_interval(secs => %s))

-- name: delete_sessions
-- Those of earlier runs, too: their tokens are lost.
delete from sessions where user_id = %s
