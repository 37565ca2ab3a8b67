-- name: begin_work
-- The job and its file, whose removal is put off.
with job as (
    update import_jobs set lease_until = now() + make_interval(secs => %(lease)s)
     where id = %(job)s and run = %(run)s returning *),
touched as (update files f set touched_at = now() from job where f.id = job.file_id)
select j.state, j.name, j.size, j.channel, j.actor, j.file_id, j.import_id, j.chosen, j.people, j.progress from job j

-- name: beat
-- No row: another process works on the job, or it has been stopped.
update import_jobs
   set progress = %(progress)s::jsonb, lease_until = now() + make_interval(secs => %(lease)s),
       attempts = case when %(moved)s then 0 else attempts end
 where id = %(job)s and run = %(run)s and state = %(state)s
returning id

-- name: finish_check
update import_jobs set state = 'ready', plan = %(result)s::jsonb, progress = %(progress)s::jsonb, lease_until = null
 where id = %(job)s and run = %(run)s and state = 'checking' returning id

-- name: finish_import
update import_jobs
   set state = 'done', result = %(result)s::jsonb, progress = %(progress)s::jsonb, lease_until = null, ended_at = now()
 where id = %(job)s and run = %(run)s and state = 'running' returning id

-- name: finish_undo
update import_jobs
   set state = 'undone', undone = %(result)s::jsonb, progress = %(progress)s::jsonb, lease_until = null
 where id = %(job)s and run = %(run)s and state = 'undoing' returning id

-- name: fail
update import_jobs
   set state = 'failed', problem = %(problem)s, lease_until = null,
       ended_at = case when state = 'running' then now() else ended_at end
 where id = %(job)s and run = %(run)s and state = %(state)s returning id
