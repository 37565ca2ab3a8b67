-- name: insert_job
insert into import_jobs (file_id, name, size, channel, actor, state)
select f.id, f.name, f.size, %(channel)s, %(actor)s, 'checking' from files f
 where f.id = %(file)s and f.owner_id = %(actor)s and f.for_import and f.ready_at is not null and f.removed_at is null
returning id

-- name: count_open
-- Jobs that hold a file or work.
select count(*) from import_jobs where state in ('checking', 'ready', 'running', 'undoing')

-- name: list_jobs
-- A page of jobs, the latest first.
select j.id, j.name, j.size, j.actor, j.state, j.at, j.started_at, j.ended_at, j.problem, j.progress,
       j.lease_until is null or j.lease_until < now(), j.import_id is not null,
       exists (select from files f where f.id = j.file_id and f.removed_at is null),
       coalesce(j.ended_at, now()) + make_interval(hours => %(hours)s), now(), j.plan -> 'source',
       null::jsonb, null::jsonb, null::jsonb, null::jsonb
  from import_jobs j where j.id < %(after)s order by j.id desc limit %(limit)s

-- name: find_job
select j.id, j.name, j.size, j.actor, j.state, j.at, j.started_at, j.ended_at, j.problem, j.progress,
       j.lease_until is null or j.lease_until < now(), j.import_id is not null,
       exists (select from files f where f.id = j.file_id and f.removed_at is null),
       coalesce(j.ended_at, now()) + make_interval(hours => %(hours)s), now(), j.plan -> 'source',
       j.chosen, j.plan, j.result, j.undone
  from import_jobs j where j.id = %(job)s

-- name: lock_job
-- The job, and whether it may be undone.
select j.state, j.import_id, j.plan,
       exists (select from files f where f.id = j.file_id and f.removed_at is null),
       coalesce(j.ended_at, now()) + make_interval(hours => %(hours)s) > now()
  from import_jobs j where j.id = %(job)s for no key update of j

-- name: move_job
-- A new state. The process that works on the job ends within a second; the next one begins later. After an undo, the
-- import cannot continue.
update import_jobs
   set state = %(state)s, run = run + 1, attempts = 0, problem = '', progress = '{}', node = null,
       lease_until = case when lease_until > now() then now() + interval '3 seconds' end,
       file_id = case when %(state)s = 'undoing' then null else file_id end,
       started_at = case when %(state)s = 'running' then coalesce(started_at, now()) else started_at end,
       ended_at = case when %(state)s = 'stopped' then now() when %(state)s = 'running' then null else ended_at end
 where id = %(job)s

-- name: choose
update import_jobs set chosen = nullif(%s::jsonb, 'null'), people = %s::jsonb where id = %s

-- name: drop_job
delete from import_jobs where id = %s returning file_id

-- name: remove_file
update files set removed_at = now() where id = %s and conversation_id is null and removed_at is null

-- name: lock_claims
-- One import at a time in all nodes.
select pg_advisory_xact_lock(%s)
