-- name: has_work
select exists (select from import_jobs where state in ('checking', 'running', 'undoing')
                                         and (lease_until is null or lease_until < now()))

-- name: claim
-- The oldest job with work, unless another one is being worked on.
update import_jobs
   set node = %(node)s, lease_until = now() + make_interval(secs => %(lease)s), run = run + 1, attempts = attempts + 1
 where id = (select id from import_jobs
              where state in ('checking', 'running', 'undoing') and (lease_until is null or lease_until < now())
              order by id limit 1 for no key update)
   and not exists (select from import_jobs where state in ('checking', 'running', 'undoing') and lease_until >= now())
returning id, run, attempts

-- name: hold
-- Still this node's job, as long as the process works.
select id from import_jobs
 where id = %s and run = %s and state in ('checking', 'running', 'undoing') and lease_until >= now()

-- name: release
-- The process has ended: any node may take the job. After too many attempts it has failed.
update import_jobs
   set lease_until = null, node = null,
       state = case when attempts >= %(most)s then 'failed' else state end,
       ended_at = case when attempts >= %(most)s then now() else ended_at end,
       problem = case when attempts >= %(most)s then %(problem)s else problem end
 where id = %(job)s and run = %(run)s and state in ('checking', 'running', 'undoing')

-- name: lend
-- The node stops: another node continues at once.
update import_jobs set lease_until = null, node = null, attempts = greatest(attempts - 1, 0)
 where id = %s and run = %s and state in ('checking', 'running', 'undoing')
