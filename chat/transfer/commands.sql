-- name: find_channel
-- By its id, or by its name among channels that are not archived.
select id from conversations where id::text = %(what)s or (kind = 'channel' and archived_at is null and look_key = %(look)s)
 order by id::text = %(what)s desc limit 1

-- name: find_user
select id from users where lower(name) = %s

-- name: insert_job
-- The command's import appears in the app, where it can be undone.
insert into import_jobs (import_id, name, size, state, plan, result, started_at, ended_at)
select id, %(name)s, %(size)s, 'done', %(result)s::jsonb, %(result)s::jsonb, %(began)s, now()
  from imports where id = %(import)s
