-- name: lock_head
-- The last lock of each appending transaction. Until the commit, positions are ours.
select epoch, position, origin = log_origin() as same_history,
       date_trunc('milliseconds', clock_timestamp()) as now
  from log_head for update

-- name: renew_epoch
-- After a restore or a fail-over, positions may have another meaning. So no earlier cursor resumes.
update log_head set epoch = new_epoch(), origin = log_origin(), floor = position
returning epoch

-- name: write_entries
-- Write the entries, and move the head to the last of them.
with written as (
insert into log (position, kind, conversation_id, user_id, subject, frame, at, node)
select position, kind, nullif(conversation_id, 0), nullif(user_id, 0), nullif(subject, 0), frame, %s, nullif(%s, '')
  from unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %b::bytea[])
       as entry (position, kind, conversation_id, user_id, subject, frame))
update log_head set position = %s

-- name: read_head
select epoch, position, floor, origin = log_origin() as same_history from log_head
